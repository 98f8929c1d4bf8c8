# frozen_string_literal: true

require "bigdecimal"
require_relative "support"

# Options and credentials: names, forms, and what is wrong with them.
class OptionsTest < Minitest::Test
  URL = "https://chat.example.org/http-bind"

  # Values that are accepted, of every form that is.
  GOOD = {
    lang: ["de", nil], wait: [30], hold: [2], route: ["xmpp:example.org:9999", nil], resource: ["web", nil],
    floor: ["PLAIN", :"SCRAM-SHA-512"], digest_md5: [true], allow_cleartext: [true],
    iterations: [4096..10_000, 1...3, [1, 2]], headers: [{ "Authorization" => "Basic eDp5" }, { "X-Site": "x" }, {}],
    ca: [nil], client_certificate: [nil], proxy: ["socks5://127.0.0.1:1080", nil], ip_family: ["any", :ipv4, "ipv6"],
    deadline: [3, 0.5, 5r, BigDecimal("1.5")], resolve_timeout: [1], connect_timeout: [1.5], request_timeout: [60],
    fail_fast_after: [0], fail_fast_for: [10], max_reply: [4096], scram_cache: [0, 10],
    fast: [true], learn: [false], relearn_after: [60, 0.5], profile: [nil, "", "garbage"]
  }.freeze

  # Values that are not: of another type, too large, too small, nonsense.
  BAD = {
    lang: [1, ""], wait: ["30", -1, 0, 70_000, 1.5], hold: [0, 256], route: ["\xff", "\0"], resource: [1, ""],
    floor: ["plain", 1, nil], digest_md5: ["yes"], allow_cleartext: [1],
    iterations: [4096, [4096], 2..1, 0..1, %w[a b]], headers: ["A: x", { "a b" => "c" }, { "a" => 1 }, { "a" => "\n" }, 7],
    ca: ["no PEM", "\xff".b, 1, ""], client_certificate: ["x", ["a"], %w[a b], ["\xff".b, "\xff".b]],
    proxy: ["not a proxy", 1], ip_family: ["ipv5", 4],
    deadline: ["5", nil, -1, 0, Float::NAN, Float::INFINITY, 1e300, 3601], resolve_timeout: [0], connect_timeout: [-0.1],
    request_timeout: [[]], fail_fast_after: [-1, 1.5], fail_fast_for: [-1], max_reply: [0, 2**70], scram_cache: [-1, "all"],
    fast: [1, nil], learn: ["no", nil], relearn_after: [0, -1, nil, 3601], profile: [1, "\xff".b]
  }.freeze

  def test_good
    each_of(GOOD) { |name, value| assert_instance_of Prebind::Client, Prebind::Client.new(URL, name => value) }
  end

  def test_bad
    each_of(BAD) do |name, value|
      error = assert_raises(Prebind::ConfigError, "#{name}: #{value.inspect}") { Prebind::Client.new(URL, name => value) }
      assert_match(/\A#{name}: /, error.message)
      assert_equal [name.to_s, "configure", "after-config-change"], [error.field, error.stage, error.retry]
    end
  end

  def test_a_value_of_a_class_that_nobody_knows
    error = assert_raises(TypeError) { Prebind::Client.new(URL, wait: Object.new) }
    assert_equal "wait: cannot be a Object", error.message
  end

  def test_an_option_that_there_is_not
    assert_match(/deadlin\z/, assert_raises(ArgumentError) { Prebind::Client.new(URL, deadlin: 3) }.message)
  end

  def test_options_are_those_of_the_library
    fields = File.read("#{ROOT}/core/src/config.rs")[/pub struct Config \{.*?\n\}/m].scan(/^    pub (\w+): /).flatten
    assert_equal "url", fields.shift
    described = File.read("#{ROOT}/bindings/ruby/lib/prebind/client.rb").scan(/@option options \[.*\] :(\w+)/).flatten
    [GOOD.keys, BAD.keys, described].each { |names| assert_equal fields.sort, names.map(&:to_s).sort }
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
      { password: 1 } => "password", { password: "\xff" } => "password", { scram_keys: "x" } => "scram_keys",
      { password: "x", fast_token: "x" } => "fast_token",
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

  def each_of(table)
    table.each { |name, values| values.each { |value| yield name, value } }
  end
end
