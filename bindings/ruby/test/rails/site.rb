# frozen_string_literal: true

# A site with a chat, for the tests.

ENV["RAILS_ENV"] = "test"

require "tmpdir"
require "rails"
require "action_controller/railtie"
require "action_view/railtie"
require_relative "guide"
require "prebind/engine"
require "rails/test_help"

# Another sort of users, with names of their own.
Admin = Struct.new(:username) do
  def id
    username
  end
end

User = Struct.new(:username, :xmpp_password, keyword_init: true) do
  def self.find_by(id: nil, username: id)
    passwords = PROSODY.accounts
    User.new(username:, xmpp_password: passwords[username]) if passwords.key?(username)
  end

  def id
    username
  end
end

# A cache that is away, and says so even with what is no StandardError. It counts the questions.
class BrokenCache < ActiveSupport::Cache::MemoryStore
  attr_reader :asked

  %i[read write increment].each do |name|
    define_method(name) do |*, **|
      @asked = @asked.to_i + 1
      raise NotImplementedError, "no cache"
    end
  end
end

class Site < Rails::Application
  config.root = Dir.mktmpdir
  config.load_defaults Rails::VERSION::STRING.to_f
  config.secret_key_base = "for the tests only"
  config.eager_load = false
  config.hosts.clear
  config.cache_store = :memory_store
  config.action_controller.allow_forgery_protection = false
  # With this, every answer renews the cookie.
  config.session_store :cookie_store, key: "a-session", expire_after: 86_400
  config.logger = ActiveSupport::Logger.new(nil)
  config.content_security_policy_nonce_generator = ->(_) { "a-nonce" }
end

class PagesController < ActionController::Base
  def home
    render inline: "<h1>The page</h1><%= prebind_converse_tag %>"
  end

  def sign_in
    session[:user_id] = params[:name]
    head :ok
  end

  def keep
    session.update(params.permit(:chat_token, :impersonated_user_id, :devise_masquerade_masquerading_resource_guid))
    head :ok
  end
end

Site.initialize!
# What the engine brings, before any test changes it.
DEFAULTS = { logger: Prebind.logger, cache: Prebind.config.cache }.freeze
Site.routes.draw do
  root "pages#home"
  get "sign_in/:name", to: "pages#sign_in"
  get "keep", to: "pages#keep"
  mount Prebind::Engine => "/prebind"
end

# What is configured before each test.
module Configured
  SAME_ORIGIN = { "Sec-Fetch-Site" => "same-origin" }.freeze

  def setup
    super
    Rails.cache.clear
    @logged = StringIO.new
    Prebind.logger = Logger.new(@logged)
    Prebind.instance_variable_set(:@config, nil)
    Prebind.configure do |config|
      config.url = PROSODY.http_url
      config.domain = "localhost"
      config.cache = Rails.cache
      config.current_user = ->(request) { User.find_by(username: request.session[:user_id]) }
      config.credentials = ->(user, _jid) { { password: user.xmpp_password } }
      # No cache takes long, however busy the machine is.
      config.store.define_singleton_method(:now) { 0 }
    end
  end

  # Ends the session that was handed over: it works only with the right SID and RID.
  def finish(session)
    Prebind.config.client.terminate(sid: session["sid"], rid: session["rid"])
  end
end
