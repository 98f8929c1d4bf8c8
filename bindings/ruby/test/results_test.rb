# frozen_string_literal: true

require_relative "support"

# What sessions and errors hold is what the library says, and all of it is documented and has a signature.
class ResultsTest < Minitest::Test
  SCHEMA = JSON.parse(Prebind::Native.schema)
  SESSION = SCHEMA["session"].to_h { |field| [field["name"], field] }
  # What `message` gives is no attribute, and what `kind` gives is the class's.
  ERROR = SCHEMA["error"].reject { |field| %w[kind message].include?(field["name"]) }

  # What a session that was stored is made of.
  STORED = %w[jid sid rid].freeze

  # The type of a field in the signatures and in the documentation, by its type in the library.
  TYPES = {
    "text" => %w[String String], "choice" => %w[String String], "count" => %w[Integer Integer],
    "seconds" => %w[Integer Integer], "texts" => ["Array[String]", "Array<String>"],
    "records" => ["Array[[String, String, String]]", "Array<(String, String, String)>"]
  }.freeze

  def test_a_session_has_the_fields_of_the_library
    optional = SESSION.to_h { |name, field| [name, !STORED.include?(name) && field["type"] != "records"] }
    check("class Session", "session.rb", SESSION.values, optional)
    parameters = Prebind::Session.instance_method(:initialize).parameters.map { |_, name| name.to_s } - %w[handle]
    assert_equal SESSION.keys.sort, parameters.sort
    signed = signature("class Session")[/initialize: .*/].scan(/(\w+): /).flatten - %w[initialize handle]
    assert_equal SESSION.keys.sort, signed.sort
    (SESSION.keys - STORED).each { |name| assert_includes readme, "`#{name}`" }
  end

  def test_every_error_has_the_fields_of_all
    check("class Error < StandardError", "errors.rb", ERROR.reject { |field| field.key?("kinds") })
  end

  def test_an_error_has_the_fields_of_its_kind
    SCHEMA["errors"].each do |kind|
      own = ERROR.select { |field| field.fetch("kinds", []).include?(kind) }
      check("class #{kind}Error < Error", "errors.rb", own)
      assert_equal own.map { |field| field["name"].to_sym }.sort, Prebind.const_get("#{kind}Error").instance_methods(false).sort
    end
    SCHEMA["error"].reject { |field| field["name"] == "message" }.each { |field| assert_includes readme, "`#{field['name']}`" }
  end

  def test_inspect_hides_what_is_secret
    session = Prebind::Session.new(**SESSION.keys.to_h { |name| [name.to_sym, "the #{name}"] }, rid: 4711, cookies: [%w[a b c]])
    SESSION.each_value do |field|
      refute_includes session.inspect, session.public_send(field["name"]).inspect if field["secret"]
    end
  end

  private

  # The attributes of a class, as they are declared, documented and signed.
  def check(beginning, file, fields, optional = {})
    optional = fields.to_h { |field| [field["name"], field["optional"]] }.merge(optional)
    type = ->(field, at) { TYPES.fetch(field["type"])[at] }
    signed = fields.to_h { |field| [field["name"], type.call(field, 0) + (optional[field["name"]] ? "?" : "")] }
    assert_equal signed, signature(beginning).scan(/attr_reader (\w+): (.+)$/).to_h
    documented = fields.to_h { |field| [field["name"], type.call(field, 1) + (optional[field["name"]] ? ", nil" : "")] }
    source = source(beginning, file).scan(/# @return \[(.+?)\] [^@]*?attr_reader :(\w+)$/m)
    assert_equal(documented, source.to_h { |said, name| [name, said] }.slice(*documented.keys))
  end

  def signature(beginning)
    File.read("#{ROOT}/bindings/ruby/sig/prebind.rbs")[/^  #{beginning}\n(.*?)^  end$/m, 1]
  end

  def source(beginning, file)
    File.read("#{ROOT}/bindings/ruby/lib/prebind/#{file}")[/^  #{beginning}\n(.*?)^  end$/m, 1]
  end

  def readme
    File.read("#{ROOT}/bindings/ruby/README.md")
  end
end
