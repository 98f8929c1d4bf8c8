# frozen_string_literal: true

# A site whose users sign in by an identity provider with OmniAuth: with what `servers provider -- ruby` starts.

ENV["RAILS_ENV"] = "test"

require "net/http"
require "openid_connect"
require "omniauth_openid_connect"
require "tmpdir"
require "rails"
require "action_controller/railtie"
require "action_view/railtie"
require_relative "guide"
require "prebind/engine"
require "rails/test_help"

PROVIDER = JSON.parse(ENV.fetch("PREBIND_PROVIDER"))
SITE = "http://127.0.0.1:3000"

User = Struct.new(:username) do
  def self.find_or_create_by!(username:)
    new(username)
  end

  def id
    username
  end
end

class Site < Rails::Application
  config.root = Dir.mktmpdir
  config.load_defaults Rails::VERSION::STRING.to_f
  config.secret_key_base = "for the tests only"
  config.eager_load = false
  config.hosts.clear
  config.cache_store = :memory_store
  config.session_store :cookie_store, key: "a-session"
  config.logger = ActiveSupport::Logger.new(nil)

  issuer = URI(PROVIDER["issuer"])
  config.middleware.use OmniAuth::Builder do
    PROVIDER["clients"].each do |client, secret|
      provider :openid_connect, name: client.to_sym, issuer: issuer.to_s, scope: %i[openid profile],
                                client_options: {
                                  identifier: client, secret:, scheme: "http", host: issuer.host, port: issuer.port,
                                  redirect_uri: "#{SITE}/auth/#{client}/callback", authorization_endpoint: "/auth",
                                  token_endpoint: "/token", userinfo_endpoint: "/me", jwks_uri: "#{issuer}/jwks"
                                }
    end
  end
end

class ApplicationController < ActionController::Base
end

class PagesController < ApplicationController
  def home
    render inline: "<h1>The page</h1><%= prebind_converse_tag %>"
  end
end

# A test has no form with a token.
OmniAuth.config.request_validation_phase = nil
OmniAuth.config.logger = Logger.new(nil)
Prebind.config.cache = nil
Site.initialize!
Guide.run("OmniAuth, callback")
Site.routes.draw do
  root "pages#home"
  get "auth/:provider/callback", to: "provider_sessions#create"
  mount Prebind::Engine => "/prebind"
end

class OmniAuthTest < ActionDispatch::IntegrationTest
  REFUSED = [503, { "kind" => "Auth", "retry" => "no" }].freeze
  SIGN_IN_AGAIN = [401, { "kind" => "SignInAgain", "retry" => "no" }].freeze
  # What the test servers' ejabberd verifies the tokens of jwt.local with.
  KEY = { kty: "oct", k: ["a key for tests, and only for tests"].pack("m0").tr("+/", "-_").delete("=") }.to_json

  setup do
    host! URI(SITE).host
    integration_session.host = "127.0.0.1:3000"
    @jar = {}
    use(PROSODY, "provider.local")
    Guide.run("OmniAuth, token passed on")
  end

  test "Prosody takes the provider's token" do
    sign_in "alice"
    get "/"
    assert_includes response.body, '"jid":"alice@provider.local"'
    assert_in_the_chat "alice@provider.local"
  end

  test "ejabberd takes it as a password" do
    use(EJABBERD, "extauth.local")
    as_password
    sign_in "bob"
    assert_in_the_chat "bob@extauth.local"
  end

  test "a token for another audience is refused" do
    %w[shop site].each do |client|
      use(PROSODY, "provider.local")
      Guide.run("OmniAuth, token passed on")
      sign_in "alice", client
      assert_equal REFUSED, ask, client
      use(EJABBERD, "extauth.local")
      as_password
      assert_equal REFUSED, ask, client
    end
  end

  test "the recommended way: the site signs a token, whatever the provider's is good for" do
    use(EJABBERD, "jwt.local")
    ENV["CHAT_KEY"] = KEY
    Guide.run("OmniAuth, recommended")
    sign_in "carol", "site"
    assert_in_the_chat "carol@jwt.local"
  end

  test "a token that has expired leads to another sign-in" do
    sign_in "alice"
    travel 59.minutes
    assert_in_the_chat "alice@provider.local"
    travel 2.minutes
    assert_equal SIGN_IN_AGAIN, ask
    travel_back
    sign_in "alice"
    assert_in_the_chat "alice@provider.local"
  end

  test "no token is in a page or in the log" do
    logged = StringIO.new
    Prebind.logger = Logger.new(logged)
    sign_in "alice"
    token = session["prebind.provider"]["token"]
    get "/"
    refute_includes response.body, token
    assert_in_the_chat "alice@provider.local"
    refute_empty logged.string
    refute_includes logged.string, token
  ensure
    Prebind.logger = nil
  end

  test "who has not signed in by the provider has no token" do
    request = Rack::Request.new("rack.session" => {})
    assert_raises(Prebind::Web::SignInAgain) { Prebind::Web::OmniAuth.token(request) }
    oauth2 = { "token" => "a-token", "expires_at" => Time.now.to_i + 60 }
    request.env["omniauth.auth"] = OmniAuth::AuthHash.new(credentials: oauth2)
    Prebind::Web::OmniAuth.keep(request)
    assert_equal "a-token", Prebind::Web::OmniAuth.token(request)
    request.env["omniauth.auth"] = OmniAuth::AuthHash.new(credentials: { "token" => "for how long?" })
    Prebind::Web::OmniAuth.keep(request)
    assert_raises(Prebind::Web::SignInAgain) { Prebind::Web::OmniAuth.token(request) }
  end

  private

  def use(server, domain)
    Prebind.instance_variable_set(:@config, nil)
    Prebind.configure do |config|
      config.url = server.http_url
      config.domain = domain
      config.current_user = ->(request) { request.session[:user_id] && User.new(request.session[:user_id]) }
    end
  end

  def as_password
    Prebind.config.credentials = ->(_user, _jid, request) { { token: Prebind::Web::OmniAuth.token(request) } }
  end

  # Follows every redirect between site and provider, and fills in the provider's forms.
  def sign_in(name, client = "chat")
    reset!
    integration_session.host = "127.0.0.1:3000"
    post "/auth/#{client}"
    page = at_provider(response.location)
    page = at_provider(page[:action], page.merge(login: name, password: "any")) while page.is_a?(Hash)
    get page.delete_prefix(SITE)
    assert_redirected_to "/"
  end

  # A form of the provider's, or the address at the site to which the provider has sent the browser.
  def at_provider(address, form = nil)
    loop do
      return address if address.start_with?(SITE)

      answer = exchange(URI.join(PROVIDER["issuer"], address), form)
      return form_in(answer.body) unless answer.is_a?(Net::HTTPRedirection)

      address = answer["Location"]
      form = nil
    end
  end

  def exchange(uri, form)
    request = form ? Net::HTTP::Post.new(uri) : Net::HTTP::Get.new(uri)
    request.form_data = form.except(:action) if form
    request["Cookie"] = @jar.map { |name, value| "#{name}=#{value}" }.join("; ")
    answer = Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
    answer.get_fields("Set-Cookie")&.each do |cookie|
      name, value = cookie[/\A[^;]*/].split("=", 2)
      value.empty? ? @jar.delete(name) : @jar[name] = value
    end
    answer
  end

  def form_in(html)
    { action: html[/action="([^"]+)"/, 1], prompt: html[/name="prompt" value="(\w+)"/, 1] }
  end

  def ask
    get "/prebind", headers: { "Sec-Fetch-Site" => "same-origin" }
    [response.status, response.parsed_body]
  end

  def assert_in_the_chat(jid)
    status, session = ask
    assert_equal 200, status, session
    assert session["jid"].start_with?("#{jid}/"), session["jid"]
    Prebind.config.client.terminate(sid: session["sid"], rid: session["rid"])
  end
end
