# frozen_string_literal: true

require_relative "site"

# What the chat server asks a Rails site, and is answered.
class ChatLoginTest < ActionDispatch::IntegrationTest
  include Configured

  JID = "alice@localhost"
  SECRET = { "Authorization" => "Bearer chat-server-to-site" }.freeze

  def setup
    super
    Prebind.config.site_secret = "chat-server-to-site"
  end

  test "a token is good once" do
    one, other = Array.new(2) { token }
    accepted = [one, one, other, other].map { |token| accepts?(token) }
    assert_equal [true, false, true, false], accepted
    assert_equal 2, @logged.string.scan("#{JID} is refused: the token was used before").size
    [one, other].each { |token| assert_not_includes @logged.string, token.split(".").last }
  end

  test "a token is good for its user" do
    assert_not accepts?(token, "bob")
    assert_not accepts?("#{token}A")
    assert_not accepts?("wonder-1")
  end

  test "a token of the key before is good" do
    before = ::Rails.application.key_generator.generate_key("prebind tokens", 32).unpack1("H*")
    alices = token
    Prebind.config.jwt = Prebind::Jwt.new(keys: "x" * 32, algorithm: "HS256", once: true)
    assert_not accepts?(alices)
    Prebind.config.jwt = Prebind::Jwt.new(keys: ["x" * 32, before], algorithm: "HS256", once: true)
    assert accepts?(alices)
    assert accepts?(token)
  end

  test "nobody else is answered" do
    alices = token
    [
      [{}, {}],
      [{ "Authorization" => "Bearer chat-server-to-sit3" }, {}],
      [SECRET, { "REMOTE_ADDR" => "192.0.2.1" }],
      # Rails takes this address, because it trusts a proxy on this machine.
      [SECRET.merge("X-Forwarded-For" => "192.0.2.1"), {}]
    ].each do |headers, env|
      chat_server("auth", headers:, env:, password: alices)
      assert_response 403
    end
    assert_equal 4, @logged.string.scan(/^W,.*a question from .* is refused: /).size
    assert accepts?(alices)
  end

  test "the site says from where the chat server asks" do
    Prebind.config.chat_server_addresses = ["192.0.2.0/24"]
    chat_server("isuser", env: { "REMOTE_ADDR" => "192.0.2.7" })
    assert_response 200
    chat_server("isuser", headers: SECRET.merge("X-Forwarded-For" => "192.0.2.7"))
    assert_response 200
    chat_server("isuser")
    assert_response 403
    Prebind.config.client_address = ->(_request) { "192.0.2.9" }
    chat_server("isuser")
    assert_response 200
  end

  test "the guide" do
    ENV["CHAT_SECRET"] = "chat-server-to-site"
    Guide.run("config/initializers/prebind.rb, with tokens that the site verifies")
    credentials = Prebind.config.credentials_of(nil, JID, nil)
    chat_server("auth", env: { "REMOTE_ADDR" => "10.0.0.5" }, password: credentials.fetch(:token))
    assert_equal({ "ok" => true }, response.parsed_body)
  end

  test "who exists" do
    exist = ->(*names) { names.map { |name| knows?(name) } }
    assert_equal [true, true, false, false], exist["alice", "Alice", "nobody", "a b"]
    Prebind.config.user_jid = ->(user) { "#{user.username}@elsewhere.example" }
    assert_not knows?("alice")
    Prebind.config.user_exists = ->(name, jid) { jid == "jo\\20doe@localhost" && name == "jo doe" }
    assert_equal [true, false], exist["jo\\20doe", "alice"]
  end

  test "a site's own mistake is no answer" do
    Prebind.config.user_exists = ->(*) { raise NotImplementedError, "a-secret" }
    chat_server("isuser")
    assert_response 500
    assert_includes @logged.string, "the chat server gets no answer: NotImplementedError"
    assert_not_includes @logged.string, "a-secret"
  end

  test "settings that are wrong answer nobody" do
    Prebind.config.site_secret = "short"
    chat_server("auth", password: token)
    assert_response 503
    assert_includes @logged.string, "secret: has to be 16 or more"
    Prebind.config.site_secret = nil
    chat_server("auth", password: token)
    assert_response 404
  end

  test "a flood keeps no good token out" do
    # A new minute may begin meanwhile, with a count of its own.
    statuses = []
    statuses << chat_server("auth", password: "wrong") until statuses.last == 429 || statuses.size == 300
    assert_equal 429, statuses.last
    assert_operator @logged.string.lines.size, :<=, statuses.size + 1
    assert_includes 1..60, Integer(response.headers["Retry-After"])
    assert accepts?(token)
  end

  test "a cache that is away keeps nobody out" do
    [BrokenCache.new, SilentCache.new].each do |away|
      Prebind.config.cache = away
      assert accepts?(token)
      assert_not accepts?("wrong")
    end
  end

  test "the form of MongooseIM" do
    alices = token
    assert_equal [200, "true"], asked("check_password", pass: alices)
    assert_equal [200, "false"], asked("check_password", pass: alices)
    assert_equal [200, "true"], asked("user_exists")
    assert_equal [200, "false"], asked("user_exists", user: "nobody")
    assert_equal [404, "false"], asked("get_password")
    filter = ActiveSupport::ParameterFilter.new(Rails.application.config.filter_parameters)
    assert_equal({ "pass" => "[FILTERED]" }, filter.filter({ "pass" => alices }))
  end

  # A store that hides its failures, as that of Redis.
  class SilentCache < ActiveSupport::Cache::MemoryStore
    def write(*, **)
      false
    end

    def exist?(*)
      false
    end

    def increment(*, **); end
  end

  private

  def token
    Prebind.config.jwt.issue(JID)
  end

  # Asks as `prebind extauth` and `mod_auth_prebind` do.
  def chat_server(command, user = "alice", headers: SECRET, env: {}, **more)
    body = JSON.generate({ command:, user:, host: "localhost", **more })
    post("/prebind/chat-login", params: body, headers: headers.merge("Content-Type" => "application/json"), env:)
    response.status
  end

  def accepts?(token, user = "alice")
    decided(chat_server("auth", user, password: token))
  end

  def knows?(user)
    decided(chat_server("isuser", user))
  end

  def decided(status)
    assert_equal [200, "no-store"], [status, response.headers["Cache-Control"]]
    response.parsed_body.fetch("ok")
  end

  def asked(command, **query)
    basic = { "Authorization" => "Basic #{['prebind:chat-server-to-site'].pack('m0')}" }
    get("/prebind/chat-login/#{command}", params: { user: "alice", server: "localhost", pass: "", **query }, headers: basic)
    [response.status, response.body]
  end
end
