# frozen_string_literal: true

# A site whose users are in a database, to which it has no more connections than threads.

ENV["RAILS_ENV"] = "test"
THREADS = 5

require "tmpdir"
FOLDER = Dir.mktmpdir
ENV["DATABASE_URL"] = "sqlite3:#{FOLDER}/site.sqlite3?pool=#{THREADS}&checkout_timeout=60"

require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require_relative "../support"
require "prebind/engine"
require "rack/mock"

Minitest.after_run { FileUtils.rm_r(FOLDER) }

class Site < Rails::Application
  config.root = FOLDER
  config.load_defaults Rails::VERSION::STRING.to_f
  config.secret_key_base = "for the tests only"
  config.eager_load = false
  config.hosts.clear
  config.cache_store = :memory_store
  config.logger = ActiveSupport::Logger.new(nil)
end

class Member < ActiveRecord::Base
end

class PagesController < ActionController::Base
  def count
    render plain: Member.count
  end
end

Site.initialize!
Site.routes.draw do
  get "count", to: "pages#count"
  mount Prebind::Engine => "/prebind"
end
ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define { create_table(:members) { |table| table.string :username, :xmpp_password } }
Member.create!(username: "alice", xmpp_password: PASSWORD)

# A login holds no connection to a database: the site's other pages wait for them.
class DatabasesTest < Minitest::Test
  def setup
    pool.release_connection
    Prebind.configure do |config|
      config.domain = "localhost"
      config.current_user = ->(_request) { Member.find_by(username: "alice") }
      config.credentials = ->(member, _jid) { { password: Member.find(member.id).xmpp_password } }
      config.options = { max_host_calls: THREADS, deadline: 60, request_timeout: 60, fail_fast_after: 0 }
    end
  end

  # If they did, the pages would wait for the logins.
  def test_pages_find_a_connection_while_as_many_logins_hang_as_there_are_connections
    hanging do |server|
      logins = Array.new(THREADS) { Thread.new { ask } }
      THREADS.times { server.wait_for_strike }
      assert_equal [0, THREADS], pool.stat.values_at(:busy, :size)
      assert_equal "1", get("/count").body
      assert logins.all?(&:alive?), "the logins still wait"
      server.stop
      assert_equal [503], logins.map { |login| login.value.status }.uniq
    end
  end

  def test_a_transaction_around_the_request_goes_on
    Prebind.config.url = "http://127.0.0.1:9/"
    ActiveRecord::Base.transaction do
      Member.create!(username: "bob")
      assert_equal 503, ask.status
      assert_equal 1, pool.stat[:busy], "nobody else gets the connection"
      raise ActiveRecord::Rollback
    end
    assert_equal 1, Member.count
  end

  private

  def hanging
    Faulty.serve("no-headers") do |server|
      Prebind.config.url = server.url
      Prebind.config.options[:ca] = server.ca
      yield server
    end
  end

  def ask
    get("/prebind", "HTTP_SEC_FETCH_SITE" => "same-origin")
  end

  def get(path, headers = {})
    Rack::MockRequest.new(Rails.application).get(path, headers)
  end

  def pool
    ActiveRecord::Base.connection_pool
  end
end
