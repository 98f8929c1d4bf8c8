# frozen_string_literal: true

require_relative "../support"
require_relative "asking"

# Real chat servers ask a real site under Puma: ejabberd by `prebind extauth`, Prosody by its module.
class ChatLoginLiveTest < Minitest::Test
  include Asking

  DOMAIN = "extauth.local"
  BEFORE, NEWEST = %w[b n].map { |letter| letter * 32 }
  COMMON = <<~RUBY.freeze
    require "active_support"
    require "active_support/cache"
    Prebind.configure do |config|
      config.jwt = Prebind::Jwt.new(keys: %w[#{NEWEST} #{BEFORE}], algorithm: "HS256", once: true)
      config.site_secret = "#{SECRET}"
      config.cache = ActiveSupport::Cache::MemoryStore.new
    end
  RUBY
  SITES = {
    "Rack" => <<~RUBY,
      require "logger"
      require "prebind/web"
      #{COMMON}
      Prebind.logger = Logger.new($stdout)
      Prebind.config.user_exists = ->(name, _jid) { %w[alice bob].include?(name) }
      map("/prebind") { run Prebind::Web::App.new }
    RUBY
    "Rails" => <<~RUBY
      require "#{ROOT}/examples/rails/config/environment"
      #{COMMON}
      Prebind.config.user_jid = ->(person) { Prebind.jid_from_user(person.name, "#{DOMAIN}") }
      run Rails.application
    RUBY
  }.freeze

  SITES.each do |name, rackup|
    define_method("test_chat_servers_ask_#{name}") do
      serve(rackup) do
        start_servers("all") do |servers|
          servers.each_value { |server| try(server) }
          refuse_others
          overflow(servers.values)
        end
      end
    end
  end

  private

  def try(server)
    @client = Prebind::Client.new(server.fetch("http_url"), deadline: 60, request_timeout: 60)
    alices = token("alice")
    assert_refused("bob", alices)
    # Two tabs, and each has a token of its own.
    [alices, token("alice"), token("alice", BEFORE)].each { |token| finish(login("alice", token)) }
    assert_refused("alice", alices)
    assert_refused("alice", token("alice", "another key of 32 bytes or more!"))
    reach_somebody_offline(server)
  end

  # With the right secret, every token is accepted all the same.
  def overflow(servers)
    # A new minute may begin meanwhile, with a count of its own.
    codes = []
    codes << ask({ password: "wrong" }).code until codes.last == "429" || codes.size == 300
    assert_equal "429", codes.last
    servers.each do |server|
      @client = Prebind::Client.new(server.fetch("http_url"), deadline: 60, request_timeout: 60)
      finish(login("alice", token("alice")))
    end
  end

  def refuse_others
    good = token("alice")
    assert_equal "403", ask({ password: good }, "another-secret-of-both").code
    assert_equal '{"ok":true}', ask({ password: good }).body
  end

  def reach_somebody_offline(server)
    # Prosody makes the account at the first login.
    finish(login("bob", token("bob")))
    page = Page.new(server, login("alice", token("alice")))
    refute_includes page.ask(good_morning("bob")), "service-unavailable"
    assert_includes page.ask(good_morning("nobody")), "service-unavailable"
    page = Page.new(server, login("bob", token("bob")))
    said = page.ask('<presence xmlns="jabber:client"/>')
    said += page.say until said.include?("good morning")
  end

  def good_morning(to)
    %(<message xmlns="jabber:client" to="#{to}@#{DOMAIN}"><body>good morning</body></message>)
  end

  def token(user, key = NEWEST)
    Prebind::Jwt.new(keys: key, algorithm: "HS256", once: true).issue("#{user}@#{DOMAIN}")
  end

  def login(user, token)
    @client.prebind("#{user}@#{DOMAIN}", token:)
  end

  def finish(session)
    @client.terminate(session)
  end

  def assert_refused(user, token)
    assert_raises(Prebind::AuthError) { login(user, token) }
  end

  # Asks as the chat server does.
  def ask(question, secret = SECRET)
    asked = { command: "auth", user: "alice", host: DOMAIN, **question }
    headers = { "Authorization" => "Bearer #{secret}", "Content-Type" => "application/json" }
    Net::HTTP.post(URI("http://127.0.0.1:#{@port}/prebind/chat-login"), JSON.generate(asked), headers)
  end
end
