# frozen_string_literal: true

require "async"
require_relative "site"
require "prebind/doctor"

# What the browser asks, against a real chat server.
class EngineTest < ActionDispatch::IntegrationTest
  include Configured

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

  test "an answer has more where the site says so" do
    Prebind.config.extras = %w[last_rid wait]
    sign_in
    ask
    session = response.parsed_body
    assert_equal %w[jid last_rid rid sid wait], session.keys.sort
    assert_equal session["rid"] - 1, session["last_rid"]
    finish(session)
    error = assert_raises(Prebind::Web::SettingsError) { Prebind.config.extras = %w[cookies] }
    assert_equal "config.extras: no value 'cookies'; there are only last_rid, wait, inactivity", error.message
  ensure
    Prebind.config.extras = []
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
      assert_equal "no-store, private", response.headers["Cache-Control"]
      assert_equal "nosniff", response.headers["X-Content-Type-Options"]
      assert_match(/Cookie/, response.headers["Vary"])
      assert_nil response.headers["Location"]
    end
    finish(response.parsed_body)
  end

  test "nobody gets 401" do
    ask
    assert_response 401
    assert_equal({ "kind" => "NotLoggedIn", "retry" => "no" }, response.parsed_body)
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

  test "POST follows the rule for GET, with or without CSRF tokens" do
    sign_in
    [true, false].each do |is_protected|
      ActionController::Base.allow_forgery_protection = is_protected
      [{}, { "Sec-Fetch-Site" => "cross-site" }, { "Origin" => "http://elsewhere.example" }].each do |headers|
        post("/prebind", headers:)
        assert_equal [403, "CrossOrigin"], [response.status, response.parsed_body["kind"]], headers
      end
      post "/prebind", headers: SAME_ORIGIN
      assert_response 200
      finish(response.parsed_body)
    end
  ensure
    ActionController::Base.allow_forgery_protection = false
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
    end
  end

  test "the chat server says when to come back" do
    sign_in
    Prebind.config.credentials = ->(*) { raise Prebind::HttpError.new("busy", retry: "later", retry_after: 30) }
    ask
    assert_equal [503, "30"], [response.status, response.headers["Retry-After"]]
  end

  test "a server that is down, a wrong password, and a mistake of the site's own" do
    sign_in
    Prebind.config.url = "http://127.0.0.1:9/"
    ask
    assert_equal [503, "Connect", "later"], [response.status, *response.parsed_body.values_at("kind", "retry")]
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

  test "what the site's own functions give is told by class and name" do
    { ->(*) { "a-wrong-secret" } => "config.credentials: returned a String; it has to be like {password: …}",
      ->(*) { { pasword: "a-wrong-secret" } } => "config.credentials: no argument 'pasword'; did you mean password?",
      ->(*) { { password: Object.new } } => "config.credentials: password is an Object; it has to be text",
      ->(*) {} => "config.credentials: returned nil; it has to be like {password: …}" }.each do |credentials, words|
      assert_told(words) { Prebind.config.credentials = credentials }
    end
    words = "config.user_jid: returned an Integer; it has to be like \"alice@example.org\", or nil"
    assert_told(words) { Prebind.config.user_jid = ->(_) { 12_345 } }
    assert_told(words.sub("an Integer", "a Symbol")) { Prebind.config.user_jid = ->(_) { :alice } }
    refute_includes @logged.string, "12345"
    error = assert_raises(Prebind::Web::SettingsError) { Prebind.config.rate_limit = [30, 0] }
    assert_equal "config.rate_limit: is an Array; it has to be two numbers of 1 or more, like [30, 60], or nil", error.message
  end

  test "the keys of credentials may be text" do
    credentials = { "password" => PASSWORD }
    [credentials, ActiveSupport::HashWithIndifferentAccess.new(credentials)].each do |given|
      Prebind.config.credentials = ->(*) { given }
      sign_in
      ask
      finish(response.parsed_body)
    end
  end

  test "whatever the site's own functions raise stays in the endpoint" do
    sign_in
    endless = ->(*) { endless.call }
    { "NotImplementedError" => ->(*) { raise NotImplementedError, "a-wrong-secret" },
      "SystemStackError" => endless }.each do |name, fails|
      %w[current_user user_jid credentials].each do |setting|
        setup
        Prebind.config.public_send("#{setting}=", fails)
        ask
        assert_equal [503, "Internal"], [response.status, response.parsed_body["kind"]], setting
        assert_match(/no chat: #{name}\n  from .*engine_test\.rb/, @logged.string)
        refute_includes @logged.string, "a-wrong-secret"
      end
    end
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
    assert_equal File.read("#{ROOT}/bindings/web/chat.js"), response.body
    assert_match(%r{\Atext/javascript}, response.headers["Content-Type"])
    assert_equal "no-cache", response.headers["Cache-Control"]
  end

  test "the page's script may be kept under its own version only" do
    get "/prebind/chat.js?#{Prebind::Web::Script::VERSION}"
    assert_match(/immutable/, response.headers["Cache-Control"])
    ["?0123456789ab", "?#{Prebind::Web::Script::VERSION}&x"].each do |other|
      get "/prebind/chat.js#{other}"
      assert_equal "no-cache", response.headers["Cache-Control"]
    end
  end

  test "a page of another user gets no session" do
    sign_in
    { "bob@localhost" => "OtherUser", "" => "OtherUser", "alice@localhost" => nil }.each do |jid, kind|
      ask "/prebind?jid=#{CGI.escape(jid)}"
      assert_equal [kind ? 403 : 200, kind], [response.status, response.parsed_body["kind"]]
    end
  end

  test "only a script opens a session" do
    sign_in
    { "Sec-Fetch-Dest" => "image", "Sec-Fetch-Mode" => "navigate", "Sec-Purpose" => "prefetch" }.each do |name, value|
      get "/prebind", headers: { "Sec-Fetch-Site" => "same-origin", name => value }
      assert_equal [403, "Destination"], [response.status, response.parsed_body["kind"]]
    end
    { "image/webp,*/*;q=0.8" => 403, "text/html" => 403, "application/json" => 200, "*/*" => 200 }.each do |types, status|
      get "/prebind", headers: { "Referer" => "http://www.example.com/", "Accept" => types }
      assert_response status
    end
  end

  test "the log says that browsers do not reach the chat server" do
    sign_in
    assert_includes(logged { ask "/prebind?unreached=404" }, "#{PROSODY.http_url} (HTTP status 404)")
    assert_not_includes(logged { ask "/prebind?unreached=4040" }, "HTTP status")
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

  test "the browser is told when to ask again" do
    sign_in
    error = Prebind::TimeoutError.new("as many as may be", phase: "queue", retry: "later", retry_after: 7)
    failing = Object.new
    failing.define_singleton_method(:prebind) { |*, **| raise error }
    failing.define_singleton_method(:profile) { "" }
    Prebind.config.stub(:client, failing) { ask }
    assert_equal [503, "7"], [response.status, response.headers["Retry-After"]]
    error = Prebind::ConnectError.new("nobody listens", phase: "tcp", retry: "later")
    Prebind.config.stub(:client, failing) { ask }
    assert_equal [503, nil], [response.status, response.headers["Retry-After"]]
  end

  test "the site's clients know how many workers there are, and have little time" do
    made = []
    Prebind::Client.stub(:new, ->(_url, **options) { made << options }) do
      Prebind.config.client(5)
      Prebind.config.options = { workers: 2, deadline: 1 }
      Prebind.config.client(5)
      Prebind.config.options = {}
      Prebind.config.client
    end
    assert_equal([[5, 3], [2, 1], [0, 3]], made.map { |options| options.values_at(:workers, :deadline) })
  end

  test "Puma says how many threads it has, other servers whether it is one" do
    puma = Struct.new(:options).new({ max_threads: 5 })
    { { "puma.config" => puma } => 5, { "rack.multithread" => false } => 1, { "rack.multithread" => true } => 2, {} => 2 }
      .each { |env, count| assert_equal count, Prebind::Web::Workers.of(env), env.inspect }
    assert_equal 32, Sync { Prebind::Web::Workers.of({}) }, "fibers"
  end

  private

  # That the endpoint and the operator's check say it, and nothing secret.
  def assert_told(words)
    setup
    yield
    sign_in
    ask
    assert_equal [503, { "kind" => "Internal", "retry" => "no" }], [response.status, response.parsed_body]
    assert_includes @logged.string, "no chat: #{words}\n"
    refute_includes @logged.string, "a-wrong-secret"
    refute Prebind::Doctor.new("alice", said = StringIO.new).call
    assert_match(/^ 3 account      error: #{Regexp.escape(words)} \(\d+ ms\)$/, said.string)
  end

  def sign_in(name = "alice")
    get "/sign_in/#{name}"
  end

  def ask(path = "/prebind", headers = SAME_ORIGIN)
    get(path, headers:)
  end

  # What was logged meanwhile.
  def logged(&)
    written = StringIO.new
    Prebind.stub(:logger, Logger.new(written), &)
    written.string
  end
end
