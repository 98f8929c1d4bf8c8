# frozen_string_literal: true

# A site whose users sign in with Devise.

ENV["RAILS_ENV"] = "test"
ENV["DATABASE_URL"] = "sqlite3::memory:"

require "tmpdir"
require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"
require "devise"
require "devise/orm/active_record"
require_relative "guide"
require "rails/test_help"

class Site < Rails::Application
  config.root = Dir.mktmpdir
  config.load_defaults Rails::VERSION::STRING.to_f
  config.secret_key_base = "for the tests only"
  config.eager_load = false
  config.hosts.clear
  config.cache_store = :memory_store
  config.logger = ActiveSupport::Logger.new(nil)
end

class Member < ActiveRecord::Base
  devise :database_authenticatable, :rememberable, :timeoutable, timeout_in: 30.minutes

  def active_for_authentication?
    super && active
  end
end

class PagesController < ActionController::Base
  def home
    render inline: "<%= prebind_converse_tag %>"
  end
end

# Where Devise looks for what it is used for.
FileUtils.mkdir("#{Site.config.root}/config")
File.write("#{Site.config.root}/config/routes.rb", <<~RUBY)
  Rails.application.routes.draw do
    devise_for :members, skip: :all
    root "pages#home"
    mount Prebind::Engine => "/prebind"
  end
RUBY
Prebind.config.cache = nil
Site.initialize!
CACHE = Prebind.config.cache

ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define do
  create_table :members do |table|
    table.string :username, :email, :encrypted_password, :xmpp_password
    table.datetime :remember_created_at
    table.boolean :active
  end
end

class DeviseTest < ActionDispatch::IntegrationTest
  include Devise::Test::IntegrationHelpers

  setup do
    Prebind.instance_variable_set(:@config, nil)
    Prebind.configure do |config|
      config.url = PROSODY.http_url
      config.domain = "localhost"
      config.credentials = ->(member, _jid) { { password: member.xmpp_password } }
    end
    @alice = Member.create!(username: "alice", email: ACCOUNT, password: "at-the-site", xmpp_password: PASSWORD, active: true)
  end

  test "a site may do without a cache" do
    assert_nil CACHE
    refute_nil Rails.cache
  end

  test "nobody" do
    assert_equal 401, ask
  end

  test "the user who is signed in" do
    sign_in @alice
    finish
    get "/"
    assert_includes response.body, %("jid":"#{ACCOUNT}")
  end

  test "the user of a scope" do
    Guide.run("Devise")
    assert_equal 401, ask
    sign_in @alice
    finish
  end

  test "a user whose session has timed out gets 401, not a redirect" do
    sign_in @alice
    finish
    travel 31.minutes
    assert_equal 401, ask
    get "/"
    assert_response 200
    assert_includes response.body, ">null</script>"
  end

  test "who is remembered is somebody" do
    @alice.remember_me!
    key = Member.serialize_into_cookie(@alice)
    jar = ActionDispatch::Request.new(Rails.application.env_config.dup).cookie_jar
    jar.signed["remember_member_token"] = key
    cookies["remember_member_token"] = jar["remember_member_token"]
    finish
  end

  test "a user who may no longer sign in gets 401, not a redirect" do
    sign_in @alice
    finish
    @alice.update!(active: false)
    assert_equal 401, ask
  end

  private

  def ask
    get "/prebind", headers: { "Sec-Fetch-Site" => "same-origin" }
    assert_match(%r{\Aapplication/json}, response.headers["Content-Type"])
    response.status
  end

  # Asks, and ends the session.
  def finish
    assert_equal 200, ask
    session = response.parsed_body
    Prebind.config.client.terminate(sid: session["sid"], rid: session["rid"])
  end
end
