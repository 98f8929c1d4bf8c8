# frozen_string_literal: true

require_relative "site"

# What the browser asks, against a real chat server.
class EngineTest < ActionDispatch::IntegrationTest
  include Configured

  UNAVAILABLE = "The chat is not available at the moment."
  KINDS = Prebind.constants.grep(/\A\w+Error\z/).map { |name| Prebind.const_get(name) }.freeze

  test "a session is exactly what Converse wants" do
    sign_in
    2.times { ask }
    assert_response 200
    session = response.parsed_body
    assert_equal %w[jid rid sid], session.keys.sort
    assert_match(%r{\Aalice@localhost/.}, session["jid"])
    assert_kind_of Integer, session["rid"]
    finish(session)
  end

  test "a page has the same JID in each of its sessions" do
    sign_in
    first, second = Array.new(2) { ask("/prebind?page=Page-1") && response.parsed_body }
    assert_equal ["alice@localhost/Page-1"], [first, second].map { |session| session["jid"] }.uniq
    assert_raises(Prebind::TerminatedError) { finish(first) }
    finish(second)
  end

  test "a page has a plain name" do
    sign_in
    ["a/b", "a%20b", "%3Cx%3E", "x" * 65, "%C3%A4", "a%0A", "%FF"].each do |page|
      ask("/prebind?page=#{page}")
      assert_includes [400], response.status, page
    end
  end

  test "every answer is private JSON" do
    { 401 => {}, 403 => { "Sec-Fetch-Site" => "cross-site" }, 405 => {}, 200 => {} }.each do |status, headers|
      sign_in unless status == 401
      status == 405 ? put("/prebind", headers: SAME_ORIGIN) : ask("/prebind", SAME_ORIGIN.merge(headers))
      assert_response status
      assert_match(%r{\Aapplication/json}, response.headers["Content-Type"])
      assert_equal "no-store", response.headers["Cache-Control"]
      assert_equal "nosniff", response.headers["X-Content-Type-Options"]
      assert_match(/Cookie/, response.headers["Vary"])
      assert_nil response.headers["Location"]
    end
    finish(response.parsed_body)
  end

  test "nobody gets 401, in words for people" do
    ask
    assert_response 401
    assert_equal({ "kind" => "NotLoggedIn", "retry" => "no", "message" => "Please sign in to use the chat." },
                 response.parsed_body)
    I18n.with_locale(:de) { ask }
    assert_match(/anmelden|melden Sie sich an/, response.parsed_body["message"])
  end

  test "what has no words of its own is in those of all" do
    sign_in
    { en: UNAVAILABLE, de: "Der Chat ist im Moment nicht erreichbar.", fr: UNAVAILABLE }.each do |locale, message|
      I18n.with_locale(locale) { ask("/prebind", "Sec-Fetch-Site" => "cross-site") }
      assert_equal ["CrossOrigin", message], response.parsed_body.values_at("kind", "message")
    end
  end

  test "in the language that the site chooses" do
    Prebind.config.locale = ->(request) { request.GET["lang"] }
    ask("/prebind?lang=de")
    assert_match(/melden Sie sich an/, response.parsed_body["message"])
    ask
    assert_equal "Please sign in to use the chat.", response.parsed_body["message"]
    ask("/prebind?lang=tlh")
    assert_equal [401, UNAVAILABLE], [response.status, response.parsed_body["message"]]
    assert_match(/no translation: I18n::InvalidLocale\n  from/, @logged.string)
  end

  test "other methods get 405" do
    sign_in
    %i[put delete patch head].each do |method|
      public_send(method, "/prebind", headers: SAME_ORIGIN)
      assert_response 405
      assert_equal "GET, POST", response.headers["Allow"]
    end
  end

  test "a page of the site may ask" do
    sign_in
    [{ "Sec-Fetch-Site" => "same-origin" }, { "Origin" => "http://www.example.com" },
     { "Referer" => "http://www.example.com/some/page?x=1" }].each do |headers|
      ask("/prebind", headers)
      assert_response 200
      finish(response.parsed_body)
    end
  end

  test "a foreign page may not" do
    sign_in
    %w[cross-site same-site none].map { |site| { "Sec-Fetch-Site" => site } }.push(
      {}, { "Sec-Fetch-Site" => "cross-site", "Origin" => "http://www.example.com" },
      { "Origin" => "http://elsewhere.example" }, { "Origin" => "https://www.example.com" }, { "Origin" => "null" },
      { "Origin" => "http://elsewhere.example", "Referer" => "http://www.example.com/" },
      { "Referer" => "http://www.example.com.elsewhere.example/" }, { "Referer" => "http://www.example.com@elsewhere.example/" }
    ).each do |headers|
      ask("/prebind", headers)
      assert_equal [403, "CrossOrigin"], [response.status, response.parsed_body["kind"]], headers
    end
  end

  test "a page is of the site behind a proxy too" do
    sign_in
    { # Debian's nginx keeps the port to itself.
      "http://www.example.com:8000/" => { "X-Forwarded-For" => "127.0.0.1" },
      "http://www.example.com:8001/" => { "X-Forwarded-Port" => "8001" },
      "http://www.example.com:8002/" => { "SERVER_PORT" => "8002" },
      "https://shop.example/" => { "X-Forwarded-Host" => "shop.example", "X-Forwarded-Proto" => "https" }
    }.each do |page, headers|
      ask("/prebind", { "Referer" => page, **headers })
      assert_response 200, page
      finish(response.parsed_body)
    end
  end

  test "a foreign page is foreign behind a proxy too" do
    sign_in
    {
      "http://www.example.com:8000/" => {},
      "http://www.example.com:8001/" => { "X-Forwarded-Port" => "8000", "X-Forwarded-For" => "127.0.0.1" },
      "http://www.example.com:8002/" => { "Host" => "www.example.com:8000", "X-Forwarded-For" => "127.0.0.1",
                                          "SERVER_PORT" => "8002" },
      "http://elsewhere.example:8000/" => { "X-Forwarded-For" => "127.0.0.1" },
      "http://shop.example/" => { "X-Forwarded-Host" => "shop.example", "X-Forwarded-Proto" => "https" }
    }.each do |page, headers|
      ask("/prebind", { "Referer" => page, **headers })
      assert_equal [403, "CrossOrigin"], [response.status, response.parsed_body["kind"]], page
    end
  end

  test "POST needs a CSRF token" do
    sign_in
    with_protection do
      post "/prebind", headers: SAME_ORIGIN
      assert_equal [403, "Csrf"], [response.status, response.parsed_body["kind"]]
      get "/token"
      post "/prebind", headers: { "X-CSRF-Token" => response.body }
      assert_response 200
      finish(response.parsed_body)
    end
  end

  test "POST from a page of the site, if it has no CSRF tokens" do
    sign_in
    [{}, { "Sec-Fetch-Site" => "cross-site" }, { "Origin" => "http://elsewhere.example" }].each do |headers|
      post("/prebind", headers:)
      assert_equal [403, "Csrf"], [response.status, response.parsed_body["kind"]], headers
    end
    post "/prebind", headers: SAME_ORIGIN
    assert_response 200
    finish(response.parsed_body)
  end

  test "a user without chat gets 403" do
    sign_in
    Prebind.config.user_jid = ->(_) {}
    ask
    assert_equal [403, "NoChat"], [response.status, response.parsed_body["kind"]]
  end

  test "not too often, each user for themselves" do
    Prebind.config.rate_limit = [1, 3600]
    sign_in
    ask("/prebind", {})
    2.times { ask }
    assert_equal [429, "RateLimit", "later"], [response.status, *response.parsed_body.values_at("kind", "retry")]
    assert_includes 1..3600, response.headers["Retry-After"].to_i
    sign_in("bob")
    ask
    assert_response 200
    Prebind.config.user_jid = ->(user) { "#{user.username}@localhost" }
    Prebind.config.credentials = ->(*) { { password: PASSWORD } }
    Prebind.config.current_user = ->(_) { Admin.new("alice") }
    ask
    assert_response 200
    Prebind.config.rate_limit = nil
    ask
    assert_response 200
  end

  test "every kind of error is a 503" do
    sign_in
    KINDS.each do |kind|
      Prebind.config.credentials = ->(*) { raise kind.new("for the operator", retry: "later") }
      ask
      assert_response 503
      assert_equal [kind.kind, "later"], response.parsed_body.values_at("kind", "retry")
      refute_includes response.body, "operator"
      expected = kind == Prebind::AuthError ? "The chat server does not accept your account." : UNAVAILABLE
      assert_equal expected, response.parsed_body["message"]
    end
  end

  test "a server that is down, a wrong password, and a mistake of the site's own" do
    sign_in
    Prebind.config.url = "http://127.0.0.1:9/"
    ask
    assert_equal [503, "Connect", "fresh-session"], [response.status, *response.parsed_body.values_at("kind", "retry")]
    Prebind.config.url = PROSODY.http_url
    Prebind.config.credentials = ->(*) { { password: "a-wrong-secret" } }
    ask
    assert_equal [503, "Auth"], [response.status, response.parsed_body["kind"]]
    Prebind.config.credentials = ->(*) { raise KeyError, "a-wrong-secret" }
    ask
    assert_equal [503, "Internal"], [response.status, response.parsed_body["kind"]]
    assert_match(/no chat: KeyError\n  from .*engine_test\.rb/, @logged.string)
    refute_includes @logged.string, "a-wrong-secret"
  end

  test "who listens is told" do
    sign_in
    events = []
    ActiveSupport::Notifications.subscribed(->(*, payload) { events << payload }, "prebind.session") do
      ask
      finish(response.parsed_body)
      Prebind.config.credentials = ->(*) { { password: "wrong" } }
      ask
    end
    opened, failed = events
    assert_equal ["alice", "SCRAM-SHA-1", 5], opened.values_at(:user, :mechanism, :round_trips)
    assert_instance_of Prebind::AuthError, failed[:exception_object]
    refute_match(/wonder/, events.inspect)
  end

  test "who is logged in, and who listens, as the guide has them" do
    Prebind.config.current_user = nil
    Guide.run("Plain session")
    ask
    assert_response 401
    sign_in
    subscriber = Guide.run("Events")
    logged = StringIO.new
    Rails.stub(:logger, Logger.new(logged)) { ask }
    finish(response.parsed_body)
    assert_includes logged.string, "chat: user alice: SCRAM-SHA-1"
  ensure
    ActiveSupport::Notifications.unsubscribe(subscriber) if subscriber
  end

  test "the page's script is that of every language" do
    get "/prebind/chat.js"
    assert_response 200
    assert_equal File.read("#{ROOT}/bindings/python/python/prebind/django/static/prebind/chat.js"), response.body
    assert_match(%r{\Atext/javascript}, response.headers["Content-Type"])
    assert_match(/immutable/, response.headers["Cache-Control"])
  end

  test "the page's script, which caches may share, has nobody's cookie" do
    sign_in
    get "/"
    assert_includes response.headers["Set-Cookie"], "a-session="
    get "/prebind/chat.js"
    assert_response 200
    assert_nil response.headers["Set-Cookie"]
  end

  test "the log and the cache are Rails'" do
    assert_same Rails.logger, DEFAULTS[:logger]
    assert_same Rails.cache, DEFAULTS[:cache]
  end

  test "one client for a process" do
    before = Prebind.config.client
    assert_same before, Prebind.config.client
    child = fork { exit!(Prebind.config.client.equal?(before) ? 1 : 0) }
    assert_equal 0, Process.wait2(child)[1].exitstatus
    Prebind.config.options = { deadline: 3 }
    refute_same before, Prebind.config.client
    Prebind.config.options[:deadline] = "soon"
    assert_raises(Prebind::ConfigError) { Prebind.config.client }
  end

  private

  def sign_in(name = "alice")
    get "/sign_in/#{name}"
  end

  def ask(path = "/prebind", headers = SAME_ORIGIN)
    get(path, headers:)
  end

  def with_protection
    ActionController::Base.allow_forgery_protection = true
    yield
  ensure
    ActionController::Base.allow_forgery_protection = false
  end
end
