# frozen_string_literal: true

require "net/http"
require "open3"
require_relative "site"

# What a site decides by the request: the chat server, the JID, what proves it, and whose chat it is.
class TenantsTest < ActionDispatch::IntegrationTest
  include Configured

  TENANTS = {
    "one.example" => { url: PROSODY.http_url, domain: "localhost", browser_url: "https://chat.one.example/http-bind" },
    "two.example" => { url: EJABBERD.http_url, domain: "plain.local", browser_url: "https://chat.two.example/bosh" }
  }.freeze

  test "tenants have a chat server each" do
    with_tenants
    clients = TENANTS.map do |host, tenant|
      sign_in(host)
      ask
      assert_response 200
      session = response.parsed_body
      assert_match(%r{\Aalice@#{tenant[:domain]}/}, session["jid"])
      client = Prebind.config.for(request).client(2)
      client.terminate(sid: session["sid"], rid: session["rid"])
      client
    end
    assert_equal 2, clients.uniq.size
    assert_includes clients[0].profile, "prosody"
    refute_includes clients[1].profile, "prosody"
    # What was learned of one is there for the next process, and not believed of the other.
    kept = TENANTS.keys.map { |host| Prebind::Web::Memory.new(Prebind.config.for(at(host))).recall }
    assert_equal clients.map(&:profile), kept
  end

  test "a tenant keeps its client" do
    with_tenants
    clients = Array.new(2) { Prebind.config.for(at("one.example")).client }
    assert_same(*clients)
  end

  test "pages of tenants have the address of their own chat server" do
    with_tenants
    TENANTS.each do |host, tenant|
      sign_in(host)
      get "/"
      assert_equal [tenant[:browser_url], "alice@#{tenant[:domain]}"], told.values_at("bosh_service_url", "jid")
    end
  end

  test "a tenant that is none" do
    { { uri: "x" } => "config.tenant: no setting 'uri'; did you mean url?",
      { "cache" => 1 } => "config.tenant: no setting 'cache'; there are only url, domain, browser_url, assets, converse, options",
      nil => "config.tenant: returned nil; it has to be like {url: …}" }.each do |given, words|
      Prebind.config.tenant = ->(_) { given }
      sign_in
      ask
      assert_equal [503, "Internal"], [response.status, response.parsed_body["kind"]]
      assert_includes @logged.string, "no chat: #{words}\n"
    end
    Prebind.config.tenant = ->(_) { { "domain" => "one.example" } }
    assert_equal "one.example", Prebind.config.for(at("one.example")).domain
  end

  test "the doctor is at a host" do
    require "prebind/doctor"
    with_tenants
    Prebind.config.assets = "//elsewhere/"
    TENANTS.each do |host, tenant|
      Prebind::Doctor.new("alice", output = StringIO.new, host:).call
      assert_match(%r{^10 login +alice@#{tenant[:domain]}/}, output.string)
    end
  end

  test "the functions get the request if they have a place for it" do
    seen = []
    Prebind.config.user_jid = lambda do |user, request|
      seen << request.path
      "#{user.username}@localhost"
    end
    Prebind.config.credentials = proc do |user, jid, request|
      seen << [jid, request.path]
      { password: user.xmpp_password }
    end
    sign_in
    ask
    finish(response.parsed_body)
    assert_equal ["/prebind/", ["alice@localhost", "/prebind/"]], seen
  end

  test "what has no place for the request goes without it" do
    callable = Object.new
    callable.define_singleton_method(:call) { |*given| given }
    with_place = Object.new
    with_place.define_singleton_method(:call) { |user, jid, request| [user, jid, request] }
    { callable => [1, 2], with_place => [1, 2, 3], ->(*given) { given } => [1, 2], ->(user, jid) { [user, jid] } => [1, 2],
      ->(user, jid, strict = :no) { [user, jid, strict] } => [1, 2, :no], ->(user, *all) { [user, *all] } => [1, 2],
      proc { |user, jid| [user, jid] } => [1, 2], with_place.method(:call) => [1, 2, 3] }.each do |function, given|
      assert_equal given, Prebind.config.send(:called, function, 1, 2, 3)
    end
  end

  test "a token in the session" do
    Prebind.config.domain = "bearer.local"
    Guide.run("Token in the session")
    sign_in
    ask
    assert_equal [503, "Config"], [response.status, response.parsed_body["kind"]]
    get "/keep", params: { chat_token: PROSODY.tokens["alice@bearer.local"] }
    ask
    assert_match(%r{\Aalice@bearer.local/}, response.parsed_body["jid"])
    finish(response.parsed_body)
  end

  # What pretender and devise_masquerade keep in the session.
  { impersonated_user_id: "alice", devise_masquerade_masquerading_resource_guid: "boss" }.each do |name, value|
    test "staff who act as a user have no chat, by #{name}" do
      sign_in
      get "/keep", params: { name => value }
      ask
      assert_equal [403, "NoChat"], [response.status, response.parsed_body["kind"]]
      get "/"
      assert_nil told
      assert_includes @logged.string, "somebody else acts as this user (config.impersonated)"

      Prebind.config.impersonated = nil
      ask
      finish(response.parsed_body)
      get "/"
      assert_equal "alice@localhost", told["jid"]
    end
  end

  test "staff who no longer act as a user have theirs" do
    sign_in
    # As pretender leaves it.
    get "/keep", params: { impersonated_user_id: nil }
    ask
    finish(response.parsed_body)
  end

  test "the cookie of a balancer leads the browser to the node of its session" do
    balanced do |url|
      sign_in("127.0.0.1")
      nodes = Array.new(4) do
        ask
        cookie, theirs = response.headers["Set-Cookie"].then { |it| it.is_a?(Array) ? it : it.lines(chomp: true) }
        assert_match(%r{\ASRV=s\d; Path=/; HttpOnly; SameSite=Strict\z}i, cookie)
        # Another cookie does not take its place.
        assert_match(/\Aa-session=/, theirs)
        refute_includes left(url, response.parsed_body, cookie[/[^;]+/]), "condition"
        cookie[/[^;]+/]
      end
      assert_equal %w[SRV=s0 SRV=s1], nodes.uniq.sort
      Prebind.config.browser_url = "https://chat.example.org/http-bind"
      ask
      refute_includes response.headers["Set-Cookie"].to_s, "SRV"
    end
  end

  private

  def with_tenants
    # What the site itself has is not its tenants'.
    Prebind.config.memory
    Prebind.configure do |config|
      config.url = config.domain = nil
      config.tenant = ->(request) { TENANTS.fetch(request.host) }
    end
  end

  def at(host)
    Prebind::Web::Endpoint.request_of(Rack::MockRequest.env_for("http://#{host}/"))
  end

  def sign_in(host = "www.example.com")
    host! host
    get "/sign_in/alice"
  end

  def ask
    get "/prebind", headers: SAME_ORIGIN
  end

  def told
    JSON.parse(response.body[%r{type="application/json">(.*?)</script>}, 1])
  end

  # Two Prosody, which share no sessions, behind a balancer that goes by a cookie.
  def balanced
    Open3.popen2("servers", "sticky", "--no-limits", "--json") do |input, output|
      Prebind.config.url = url = JSON.parse(output.gets)["prosody"]["http_url"]
      yield url
    ensure
      input.close
    end
  end

  # What the chat server answers a browser that ends its session.
  def left(url, session, cookie)
    names = "sid='#{session['sid']}' rid='#{session['rid']}' type='terminate'"
    Net::HTTP.post(URI(url), "<body xmlns='http://jabber.org/protocol/httpbind' #{names}/>", "Cookie" => cookie).body
  end
end
