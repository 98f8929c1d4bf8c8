# frozen_string_literal: true

require_relative "../support"
require_relative "asking"

# The ways by which a site's users log in without a chat password: tests/vectors/ways.json.
class WaysTest < Minitest::Test
  include Asking

  FILE = JSON.parse(File.read("#{ROOT}/tests/vectors/ways.json"))
  SITE = <<~RUBY.freeze
    require "active_support"
    require "active_support/cache"
    require "json"
    require "prebind/web"
    Prebind.configure do |config|
      config.jwt = Prebind::Jwt.new(**JSON.parse(#{FILE.dig('jwts', 'once').to_json.dump}, symbolize_names: true))
      config.site_secret = "#{SECRET}"
      config.cache = ActiveSupport::Cache::MemoryStore.new
      config.user_exists = ->(name, _jid) { %w[alice bob carol].include?(name) }
    end
    map("/prebind") { run Prebind::Web::App.new }
  RUBY

  def test_users_log_in_and_reach_each_other
    serve(SITE) do
      start_servers("ways") do |servers|
        FILE.fetch("ways").each { |way| Users.new(self, way, servers.fetch(way.fetch("server"))).talk }
      end
    end
  end

  # The users of one way.
  class Users
    def initialize(test, way, server)
      @test = test
      @way = way
      @server = server
      options = way.fetch("options", {}).to_h { |name, given| [name.to_sym, Prebind::Accounts.new(**with_api(given))] }
      @client = Prebind::Client.new(server.fetch("http_url"), wait: 1, deadline: 60, request_timeout: 60, **options)
    end

    def talk
      Array.new(2) { login("alice") }.each { |session| @client.terminate(session) }
      # Most servers make the account at the first login.
      @client.terminate(login("carol"))
      bob, = page("bob")
      first = wait_for_the_message(bob)
      reach_both([first, page("carol").first(2)].to_h, bob)
    rescue Prebind::Error => e
      @test.flunk("#{@way['name']}: #{e.message}")
    end

    private

    # While Carol is offline, she gets it with her next login.
    def wait_for_the_message(bob)
      said = bob.ask(message(jid("carol"), "good morning"))
      @test.refute_includes said, "service-unavailable", @way["name"]
      first, own, said = page("carol")
      first.hear("good morning") unless said.include?("good morning")
      [first, own]
    end

    def reach_both(tabs, bob)
      request = %(<presence xmlns="jabber:client" to="#{jid('carol')}" type="subscribe"/>)
      # A server delivers in order: if the request has not come before the message, it never comes.
      bob.ask(request, *tabs.values.map { |own| message(own, "after it") })
      tabs.each_key { |tab| @test.assert_match(/type=["']subscribe["']/, tab.hear("after it"), @way["name"]) }
      [bob, *tabs.keys].each { |page| @client.terminate(sid: page.sid, rid: page.rid) }
    end

    def jid(user)
      "#{user}@#{@way['host']}"
    end

    # A fresh one for each login.
    def proof(user)
      kind, given = @way.fetch("credentials").first
      return { x_oauth2_issuer: Prebind::XOAuth2Issuer.new(**with_api(given)) } if kind == "x_oauth2_issuer"

      jwt = Prebind::Jwt.new(**FILE.dig("jwts", given).transform_keys(&:to_sym))
      { kind.to_sym => kind == "jwt" ? jwt : jwt.issue(jid(user)) }
    end

    def login(user)
      session = @client.prebind(jid(user), **proof(user))
      @test.assert session.jid.start_with?("#{jid(user)}/"), @way["name"]
      @test.assert_equal @way["mechanism"], session.mechanism, @way["name"]
      session
    end

    def page(user)
      session = login(user)
      page = Asking::Page.new(@server, session)
      [page, session.jid, page.ask('<presence xmlns="jabber:client"/>')]
    end

    def message(recipient, text)
      %(<message xmlns="jabber:client" to="#{recipient}" type="chat"><body>#{text}</body></message>)
    end

    def with_api(given)
      given.to_h { |name, value| [name.to_sym, value.sub("@API@", @server["api_url"])] }
    end
  end
end
