# frozen_string_literal: true

require_relative "support"

# Logins at real servers, by the sorts of credentials they know.
class ServersTest < Minitest::Test
  LOGINS = [
    [PROSODY, "plain.local", "SCRAM-SHA-256", { password: PASSWORD }],
    [EJABBERD, "plain.local", "SCRAM-SHA-512", { password: PASSWORD }],
    [PROSODY, "localhost", "PLAIN", { token: PASSWORD }],
    [EJABBERD, "localhost", "PLAIN", { token: PASSWORD }],
    [PROSODY, "anon.local", "ANONYMOUS", { anonymous: true }],
    [EJABBERD, "anon.local", "ANONYMOUS", { anonymous: true }],
    [PROSODY, "bearer.local", "OAUTHBEARER", { oauthbearer: :token }],
    [EJABBERD, "oauth.local", "X-OAUTH2", { x_oauth2: :token }],
    [EJABBERD, "jwt.local", "PLAIN", { token: :token }],
    # ejabberd knows the second one; see tests/servers/src/tokens.rs.
    [EJABBERD, "jwt.local", "PLAIN",
     { jwt: Prebind::Jwt.new(keys: ["x" * 32, "a key for tests, and only for tests"], algorithm: :HS256) }],
    [PROSODY, "onlyscram.local", "SCRAM-SHA-1", { password: PASSWORD, authcid: "alice" }],
    [PROSODY, "localhost", "PLAIN", { mechanism: "PLAIN", initial_response: "\0alice\0#{PASSWORD}" }]
  ].freeze

  def test_password
    SERVERS.each do |server|
      before = server.bound
      session = server.client.prebind(ACCOUNT, password: PASSWORD)
      assert_includes server.bound, session.jid
      assert_match(%r{\Aalice@localhost/.}, session.jid)
      assert_equal ["SCRAM-SHA-1", 5], [session.mechanism, session.round_trips]
      assert_equal({ "prosody" => 60, "ejabberd" => 30 }[server.kind], session.inactivity)
      assert_equal [55, 1, 2, []], [session.wait, session.hold, session.requests, session.cookies]
      assert_equal session.rid - 1, session.last_rid
      assert_operator session.rid, :<, 2**53
      assert_nil server.client.terminate(session)
      assert_empty server.left(before)
    end
  end

  LOGINS.each do |server, host, mechanism, credentials|
    define_method("test_#{server.kind}_#{host}_#{credentials.keys.first}") do
      jid = credentials.key?(:anonymous) ? host : "alice@#{host}"
      given = credentials.transform_values { |value| value == :token ? server.tokens.fetch(jid) : value }
      session = server.client.prebind(jid, **given)
      assert_equal mechanism, session.mechanism
      assert_match(%r{@#{host}/}, session.jid)
      assert_includes server.bound, session.jid
      server.client.terminate(session)
    end
  end

  def test_client_certificate
    client = PROSODY.client(client_certificate: PROSODY.certificate)
    session = client.prebind("alice@cert.local", external: true)
    assert_equal "EXTERNAL", session.mechanism
    client.terminate(session)
  end

  def test_a_password_with_its_name_or_without
    [[[PASSWORD], {}], [[], { password: PASSWORD }]].each do |given, named|
      sessions = [PROSODY.client.prebind("alice@localhost", *given, **named),
                  Prebind.prebind(PROSODY.http_url, "alice@localhost", *given, **named)]
      sessions.each { |session| PROSODY.client.terminate(session) }
    end
    assert_raises(Prebind::AuthError) { PROSODY.client.prebind("alice@localhost", "wrong") }
    error = assert_raises(ArgumentError) { PROSODY.client.prebind("alice@localhost", "hunter2", password: "hunter3") }
    assert_equal "the password is given twice", error.message
  end

  def test_digest_md5_only_if_allowed
    given = ["alice@md5.local", { password: PASSWORD }]
    session = EJABBERD.client(digest_md5: true, weakest_mechanism: "DIGEST-MD5").prebind(given[0], **given[1])
    assert_equal "DIGEST-MD5", session.mechanism
    EJABBERD.client.terminate(session)
    strict = EJABBERD.client(weakest_mechanism: "SCRAM-SHA-1")
    error = assert_raises(Prebind::MechanismError) { strict.prebind(given[0], **given[1]) }
    assert_equal %w[DIGEST-MD5 PLAIN], error.offered.sort
    refute_empty error.allowed
  end

  def test_a_session_is_what_a_browser_asks_for
    before = PROSODY.bound
    session = PROSODY.client.prebind(ACCOUNT, password: PASSWORD)
    assert_equal({ jid: session.jid, sid: session.sid, rid: session.rid }, session.to_h)
    assert_equal session.to_h, JSON.parse(session.to_json, symbolize_names: true)
    assert_equal session.to_h, JSON.parse({ session: }.to_json, symbolize_names: true)[:session]
    assert_equal session.to_h.transform_keys(&:to_s), session.as_json
    [session.inspect, session.to_s].each do |shown|
      refute_match(/#{session.sid}|#{session.rid}/, shown)
      assert_includes shown, session.jid
    end
    assert_predicate session, :frozen?
    assert_raises(FrozenError) { session.sid << "x" }
    stored = Prebind::Session.new(**session.to_h)
    assert_equal stored, session
    PROSODY.client.terminate(stored)
    assert_empty PROSODY.left(before)
  end

  def test_what_was_learned_is_handed_on
    SERVERS.each do |server|
      first = server.client
      classic, *short = round_trips(first)
      other = server.client(profile: first.profile)
      assert_operator short.min, :<, classic
      assert_equal short.min, round_trips(other).min
      assert_equal first.profile, other.profile
      refute_includes first.profile, PASSWORD
    end
  end

  def test_a_wrong_password
    SERVERS.each do |server|
      before = server.bound
      error = assert_raises(Prebind::AuthError) { server.client.prebind(ACCOUNT, password: "not-this-1") }
      assert_equal %w[Auth authenticate not-authorized no], [error.kind, error.stage, error.condition, error.retry]
      refute_nil error.text
      refute_includes error.full_message, "not-this-1"
      assert_empty server.left(before)
    end
  end

  def test_terminate
    SERVERS.each do |server|
      client = server.client
      session = client.prebind(ACCOUNT, password: PASSWORD)
      client.terminate(sid: session.sid, rid: session.rid)
      again = [-> { client.terminate(session) }, -> { client.terminate(sid: session.sid, rid: session.rid) }]
      again.each do |call|
        error = assert_raises(Prebind::TerminatedError, &call)
        assert_equal %w[item-not-found terminate], [error.condition, error.stage]
      end
    end
  end

  def test_one_call_keeps_a_client_for_the_url
    sessions = Array.new(2) { Prebind.prebind(PROSODY.http_url, ACCOUNT, password: PASSWORD) }
    refute_equal(*sessions.map(&:sid))
    sessions.each { |session| PROSODY.client.terminate(session) }
    clients = Array.new(2) { Prebind.send(:client_for, PROSODY.http_url) }
    assert_same(*clients)
  end

  def test_a_user_name_is_escaped
    assert_equal "d\\27artagnan@example.org", Prebind.jid_from_user("d'artagnan", "example.org")
    assert_raises(Prebind::ConfigError) { Prebind.jid_from_user("", "example.org") }
  end

  private

  # Of several logins: two requests at once may arrive in the wrong order, and take one more then.
  def round_trips(client)
    Array.new(6) { client.prebind(ACCOUNT, token: PASSWORD).tap { |it| client.terminate(it) }.round_trips }
  end
end
