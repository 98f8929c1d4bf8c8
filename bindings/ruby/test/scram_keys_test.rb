# frozen_string_literal: true

require_relative "support"

# What Prebind::ScramKeys.derive makes, as tests/vectors/scram-derived.json has it.
class ScramKeysTest < Minitest::Test
  FILE = JSON.parse(File.read("#{ROOT}/tests/vectors/scram-derived.json"))

  def test_derived
    FILE["derived"].each do |row|
      salt = row["salt"].unpack1("m")
      keys, stored_key = derive(row, salt:)
      fields = keys.to_h.merge(stored_key:)
      %i[client_key server_key stored_key].each do |name|
        assert_equal row[name.to_s].unpack1("m"), fields[name], "#{row['name']}: #{name}"
      end
      assert_equal row.values_at("hash", "iterations") << salt, fields.values_at(:hash, :iterations, :salt)
    end
  end

  def test_a_salt_is_drawn_anew_and_is_text
    salts = Array.new(2) { Prebind::ScramKeys.derive(password: "x", hash: "SHA-256", iterations: 4096).first.to_h[:salt] }
    refute_equal(*salts)
    salts.each { |salt| assert_match(/\A[\w-]+\z/, salt) }
  end

  def test_refused
    FILE["refused"].each do |row|
      assert_equal row["field"], assert_raises(Prebind::ConfigError) { derive(row) }.field, row["name"]
    end
  end

  private

  def derive(row, **more)
    Prebind::ScramKeys.derive(password: row["password"], hash: row["hash"], iterations: row["iterations"], **more)
  end
end
