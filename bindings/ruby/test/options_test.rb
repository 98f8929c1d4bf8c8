# frozen_string_literal: true

require "bigdecimal"
require_relative "support"

# Options and credentials: names, forms, and what is wrong with them.
class OptionsTest < Minitest::Test
  URL = "https://chat.example.org/http-bind"

  # Where the keywords are documented.
  CLIENT = Prebind::Client.instance_method(:prebind).source_location.first

  # What there is, as the library says it.
  SCHEMA = JSON.parse(Prebind::Native.schema)
  OPTIONS = SCHEMA["options"].to_h { |option| [option["name"], option] }
  CREDENTIALS = SCHEMA["credentials"].to_h { |argument| [argument["name"], argument] }

  # The values that all languages share.
  VALUES = JSON.parse(File.read("#{ROOT}/tests/vectors/options.json"))

  # Values that are accepted, of the forms that JSON does not have.
  NATIVE_GOOD = {
    "weakest_mechanism" => [:"SCRAM-SHA-512"], "ip_family" => [:ipv4], "iterations" => [4096..10_000, 1...3],
    "accounts" => [Prebind::Accounts.new(jid: "svc@example.org", password: "x", url: "https://chat.example.org/api")],
    "headers" => [{ "X-Site": "x" }], "deadline" => [5r, BigDecimal("1.5")], "ca" => [VALUES.dig("options", "ca", "good", 0).b]
  }.freeze

  # Values that are not.
  NATIVE_BAD = {
    "route" => ["\xff"], "iterations" => [2..1, 0..1], "ca" => ["\xff".b], "client_certificate" => [["\xff".b, "\xff".b]],
    "deadline" => [Float::NAN, Float::INFINITY, -1r], "profile" => ["\xff".b]
  }.freeze

  # The type of an option in the signatures, by its type in the library.
  SIGNATURES = {
    "flag" => "bool", "count" => "Integer", "range" => "Range[Integer] | [Integer, Integer]", "seconds" => "seconds",
    "choice" => "String | Symbol", "text" => "String", "pem" => "pem", "certificate" => "[pem, pem]",
    "headers" => "Hash[String, String]", "record" => "Accounts"
  }.freeze

  def test_good
    each_of("good", NATIVE_GOOD) do |name, value|
      assert_instance_of Prebind::Client, Prebind::Client.new(VALUES["url"], name.to_sym => value)
    end
  end

  def test_bad
    each_of("bad", NATIVE_BAD) do |name, value|
      error = assert_raises(Prebind::ConfigError, "#{name}: #{value.inspect}") do
        Prebind::Client.new(VALUES["url"], name.to_sym => value)
      end
      assert_match(/\A#{name}: /, error.message)
      assert_equal name, error.field
      assert_equal(VALUES["refused"], VALUES["refused"].to_h { |key, _| [key, error.public_send(key)] })
    end
  end

  def test_a_value_of_a_class_that_nobody_knows
    error = assert_raises(TypeError) { Prebind::Client.new(URL, wait: Object.new) }
    assert_equal "wait: cannot be a Object", error.message
  end

  def test_an_option_that_there_is_not
    assert_equal "Prebind::Client.new: no option 'deadlin'; did you mean deadline?",
                 assert_raises(ArgumentError) { Prebind::Client.new(URL, deadlin: 3) }.message
  end

  def test_options_have_signatures
    signature = signature_of("initialize: \\(_ToS url")
    wanted = OPTIONS.transform_values { |option| SIGNATURES.fetch(option["type"]) + (option["optional"] ? "?" : "") }
    assert_equal wanted, signature
    assert_equal OPTIONS.keys, Prebind::Native::OPTIONS.map(&:to_s)
    assert_equal OPTIONS.keys, VALUES["options"].keys
  end

  def test_options_and_their_defaults_are_documented
    described = File.read(CLIENT).scan(/@option options \[.+?\] :(\w+)(?: \(([^)]*)\))?/)
    assert_equal(OPTIONS.transform_values { |option| in_words(option["default"]) }, described.to_h)
    assert_equal OPTIONS.size, described.size
  end

  def test_credentials_are_those_of_the_library
    taken = Prebind::Client.instance_method(:prebind).parameters.select { |kind, _| kind == :key }.map { |_, name| name.to_s }
    described = File.read(CLIENT)[/# Opens an authenticated.*def prebind/m].scan(/@param (\w+)/).flatten - %w[jid secret]
    [taken, described, signature_of("prebind: \\(_ToS jid").keys].each do |names|
      assert_equal CREDENTIALS.keys.sort, names.sort
    end
    { "jwt" => Prebind::Jwt, "x_oauth2_issuer" => Prebind::XOAuth2Issuer, "scram_keys" => Prebind::ScramKeys,
      "scram_salted_password" => Prebind::ScramSaltedPassword }.each do |name, type|
      parameters = type.instance_method(:initialize).parameters.map { |_, parameter| parameter.to_s }
      assert_equal CREDENTIALS[name].values_at("fields", "optional_fields").compact.flatten, parameters
    end
  end

  def test_exactly_one_proof
    [{}, { password: nil }, { password: "a", token: "b" }, { anonymous: true, external: true }, { anonymous: false },
     { password: "a", initial_response: "b" }, { authcid: "alice" }].each do |credentials|
      error = assert_raises(Prebind::ConfigError) { login(credentials) }
      assert_equal "credentials", error.field
      assert_match(/only one/, error.message)
    end
  end

  def test_credentials_that_cannot_be_sent
    keys = { hash: "SHA-1", salt: "s", iterations: 1 }
    {
      { token: "" } => "password", { oauthbearer: "a b" } => "token", { initial_response: "x" } => "mechanism",
      { mechanism: "external" } => "mechanism", { password: "x", authzid: "" } => "authzid",
      { password: "x", nickname: "" } => "nickname",
      { x_oauth2_issuer: Prebind::XOAuth2Issuer.new(url: "x", jid: "a@b", password: "c") } => "x_oauth2_issuer",
      { password: 1 } => "password", { password: "\xff" } => "password", { scram_keys: "x" } => "scram_keys",
      { password: "x", fast_token: "x" } => "fast_token", { jwt: Prebind::Jwt.new(keys: "x") } => "jwt",
      { jwt: Prebind::Jwt.new(keys: ["x" * 31], algorithm: "HS256") } => "key",
      { jwt: Prebind::Jwt.new(keys: "x" * 32, algorithm: "HS256", claims: { exp: nil }) } => "claims",
      { scram_keys: Prebind::ScramKeys.new(**keys, hash: "SHA-3", client_key: "", server_key: "") } => "hash",
      { scram_keys: Prebind::ScramKeys.new(**keys, client_key: "k", server_key: "k") } => "credentials",
      { scram_salted_password: Prebind::ScramSaltedPassword.new(**keys, salted_password: "k") } => "credentials"
    }.each do |credentials, field|
      assert_equal field, assert_raises(Prebind::ConfigError, credentials.inspect) { login(credentials) }.field
    end
  end

  def test_what_to_terminate
    session = Prebind::Session.new(jid: "alice@example.org/x", sid: "x", rid: 1)
    [[], [{ sid: "x" }], [{ rid: 1 }], [session, { sid: "x", rid: 1 }]].each do |*positional, given|
      unless given.is_a?(Hash)
        positional = [given]
        given = {}
      end
      assert_raises(ArgumentError) { Prebind::Client.new(URL).terminate(*positional.compact, **given) }
    end
  end

  def test_stored_keys_are_not_shown
    keys = Prebind::ScramKeys.new(hash: "SHA-1", salt: "salt", iterations: 1, client_key: "key", server_key: "key")
    assert_equal "#<Prebind::ScramKeys SHA-1>", keys.inspect
    assert_equal "#<Prebind::Jwt>", Prebind::Jwt.new(keys: "secret").inspect
    assert_equal "#<Prebind::Accounts a@b>", Prebind::Accounts.new(jid: "a@b", password: "secret").inspect
    issuer = Prebind::XOAuth2Issuer.new(url: "https://a/api", jid: "a@b", password: "secret")
    assert_equal "#<Prebind::XOAuth2Issuer https://a/api a@b>", issuer.inspect
    salted = Prebind::ScramSaltedPassword.new(hash: "SHA-1", salt: "salt", iterations: 1, salted_password: "key")
    assert_equal "#<Prebind::ScramSaltedPassword SHA-1>", salted.inspect
    session = Prebind::Session.new(jid: "alice@example.org/x", sid: "x", rid: 1, fast_token: "secret")
    refute_includes session.inspect, "secret"
    refute_includes Prebind::Client.new(URL, headers: { "A" => "secret" }).inspect, "secret"
  end

  def test_a_password_may_be_in_any_encoding
    session = PROSODY.client.prebind(ACCOUNT.encode("UTF-16LE"), password: PASSWORD.encode("UTF-16BE"))
    PROSODY.client.terminate(session)
    again = PROSODY.client.prebind(ACCOUNT.b, password: PASSWORD.b)
    PROSODY.client.terminate(again)
    assert_equal [Encoding::UTF_8], [again.jid.encoding, again.sid.encoding].uniq
  end

  def test_headers_and_deadline_arrive
    server, = Faulty.serve("no-headers") do |running|
      client = running.client(headers: { "X-Site" => "shop" }, deadline: 0.2)
      assert_raises(Prebind::TimeoutError) { client.prebind(ACCOUNT, password: PASSWORD) }
    end
    assert_includes server.output["requests"].to_s, "shop"
  end

  # What is wrong is an `Error`, never a panic, which no `rescue` would catch.
  def test_nonsense_never_panics
    draw = Random.new(6120)
    alphabet = "a@/.:\\ '\"&<>\0\n\x7f\u00ad\u0660\u200b\u{1f4a9}\ufb01İß%[]é".chars << "\xff"
    client = Prebind::Client.new("http://127.0.0.1:9/", fail_fast_after: 1, fail_fast_for: 60)
    outcomes = Array.new(3000) do
      text = Array.new(draw.rand(12)) { alphabet.sample(random: draw) }.join
      nonsense(client, text)
    end
    assert_empty [Prebind::ConfigError, Prebind::TimeoutError] - outcomes.flatten
    refute_includes outcomes.flatten, Prebind::InternalError
  end

  def test_extras_of_an_answer
    session = Prebind::Session.new(jid: "alice@localhost/1", sid: "the-sid", rid: 7, inactivity: 60, wait: 55)
    assert_equal({ last_rid: 6, wait: 55, inactivity: 60 }, session.to_h(*SCHEMA["extras"]).except(*session.to_h.keys))
    assert_equal({ **session.to_h, wait: 55 }, session.to_h(:wait))
    error = assert_raises(ArgumentError) { session.to_h("inspect") }
    assert_match(/no value 'inspect'; there are only last_rid, wait, inactivity/, error.message)
  end

  private

  def nonsense(client, text)
    [
      -> { Prebind.jid_from_user(text, "example.org") }, -> { Prebind.jid_from_user("alice", text) },
      -> { client.prebind(text, password: "secret") }, -> { client.prebind("alice@example.org", password: text) },
      -> { Prebind::Client.new(text) }, -> { client.terminate(sid: text, rid: 1) }
    ].map do |call|
      call.call.class
    rescue Prebind::Error, EncodingError => e
      e.class
    end
  end

  def login(credentials)
    Prebind::Client.new(URL).prebind("alice@example.org", **credentials)
  end

  def each_of(kind, native)
    shared = VALUES["options"].transform_values { |values| values[kind] }
    [shared, native].each { |table| table.each { |name, values| values.each { |value| yield name, value } } }
  end

  # The names and types of the keywords of a method that is declared so.
  def signature_of(beginning)
    line = File.read("#{ROOT}/bindings/ruby/sig/prebind.rbs")[/def #{beginning}.*$/]
    line.scan(/\?(\w+): (.+?)(?=, \?\w+: |\) ->)/).to_h
  end

  # As Ruby writes it; nil where there is nothing.
  def in_words(default)
    case default
    when nil, {} then nil
    when String then "`#{default.inspect}`"
    when Array then default.map { |number| in_words(number) }.join("..")
    when Integer then default >= 10_000 ? default.to_s.gsub(/(?<=\d)(?=(\d{3})+\z)/, "_") : default.to_s
    else default.to_s
    end
  end
end
