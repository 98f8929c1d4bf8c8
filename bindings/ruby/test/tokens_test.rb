# frozen_string_literal: true

require "prebind"
require_relative "support"

# What Prebind::Jwt issues and refuses, as tests/vectors/tokens.json has it.
class TokensTest < Minitest::Test
  FILE = JSON.parse(File.read(File.expand_path("../../../tests/vectors/tokens.json", __dir__)))
  # Those that need no rule for who the user is, and no issuer: Ruby has none.
  TOKENS = FILE["tokens"].reject { |row| row.key?("user") || row.key?("issuer") }

  def test_tokens_are_accepted_or_refused
    assert_operator TOKENS.size, :>, 80
    TOKENS.each do |row|
      jwt = { keys: keys(row), audience: row["audience"] }
      jid = row.fetch("account", "alice@example.org")
      refusal = Prebind::Native.refusal(row["token"], jid, jwt, row.fetch("now", FILE["now"]))
      assert_equal [row["expect"]["refusal"]], [refusal], row["name"]
    end
  end

  def test_tokens_that_are_issued
    FILE["issued"].each do |row|
      jwt = Prebind::Jwt.new(keys: keys(row), lifetime: row["lifetime"], audience: row["audience"],
                             claims: row["claims"])
      token = jwt.issue(row["jid"])
      header, claims = token.split(".").first(2).map { |part| JSON.parse(part.tr("-_", "+/").unpack1("m")) }
      assert_equal row["header"], header, row["name"]
      later = claims["iat"] - FILE["now"]
      expected = row["payload"].to_h { |name, value| [name, %w[iat nbf exp].include?(name) ? value + later : value] }
      assert_equal expected, claims, row["name"]
      assert_equal [nil, "OtherUser"], [jwt.refusal(row["jid"], token), jwt.refusal("bob@example.org", token)]
    end
  end

  def test_a_token_for_one_login
    keys = FILE["keys"].fetch("hs256")
    claims = [true, true, nil].map do |once|
      token = Prebind::Jwt.new(keys:, once:).issue("alice@example.org")
      JSON.parse(token.split(".")[1].tr("-_", "+/").unpack1("m"))["jti"]
    end
    assert_nil claims.pop
    assert_equal [22, 22], claims.map(&:size)
    assert_equal claims, claims.uniq
  end

  def test_what_is_no_key
    FILE["keys_refused"].each do |row|
      jwt = Prebind::Jwt.new(keys: row["key"])
      assert_raises(Prebind::ConfigError, row["name"]) { jwt.issue("alice@example.org") }
      assert_raises(Prebind::ConfigError, row["name"]) { jwt.refusal("alice@example.org", "") }
    end
  end

  def test_a_chat_servers_side_of_a_key
    FILE["server_sides"].each do |row|
      jwt = Prebind::Jwt.new(keys: keys(row))
      expect = row["expect"]
      call = -> { row["server"] == "ejabberd" ? jwt.for_ejabberd(row["domain"]) : jwt.for_prosody(row["domain"]) }
      if expect.key?("field")
        assert_equal expect["field"], assert_raises(Prebind::ConfigError, row["name"], &call).field
        next
      end
      side = call.call
      assert_equal expect, expect.keys.to_h { |name| [name, side.public_send(name)] }, row["name"]
      refute_includes side.inspect, expect["file"]
    end
  end

  def test_a_new_key
    key = JSON.parse(Prebind::Jwt.new_key)
    assert_equal ["HS256", 16], [key["alg"], key["kid"].size]
    made = Prebind::Jwt.new_key(algorithm: :ES256, id: "2026-11")
    assert_equal %w[ES256 2026-11], JSON.parse(made).values_at("alg", "kid")
    jwt = Prebind::Jwt.new(keys: made)
    assert_nil jwt.refusal("alice@example.org", jwt.issue("alice@example.org"))
    error = assert_raises(Prebind::ConfigError) { Prebind::Jwt.new_key(algorithm: "RS256") }
    assert_match(/RSA keys are not made here/, error.message)
  end

  private

  def keys(row)
    row["keys"].map { |name| FILE["keys"][name] }
  end
end
