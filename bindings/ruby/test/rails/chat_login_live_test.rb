# frozen_string_literal: true

require "net/http"
require "open3"
require "socket"
require "tmpdir"
require_relative "../support"

# Real chat servers ask a real site under Puma: ejabberd by `prebind extauth`, Prosody by its module.
class ChatLoginLiveTest < Minitest::Test
  DOMAIN = "extauth.local"
  SECRET = "chat-server-to-site"
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
        start_servers do |servers|
          servers.each { |server| try(server) }
          refuse_others
          overflow(servers)
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

  # A site under Puma, while the block runs.
  def serve(rackup)
    @port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    Dir.mktmpdir do |folder|
      File.write("#{folder}/config.ru", rackup)
      options = ["--bind", "tcp://127.0.0.1:#{@port}", "--threads", "8:8", "--environment", "production"]
      log = "#{folder}/log"
      puma = spawn({ "SITE_PORT" => @port.to_s }, "puma", *options, "#{folder}/config.ru", out: log, err: log)
      wait_for(puma, log)
      yield
      # No token is in it.
      refute_includes File.read(log), "eyJ"
    ensure
      Process.kill("TERM", puma)
      Process.wait(puma)
    end
  end

  def wait_for(puma, log)
    deadline = monotonic + 120
    TCPSocket.new("127.0.0.1", @port).close
  rescue Errno::ECONNREFUSED
    assert_nil Process.wait(puma, Process::WNOHANG), -> { File.read(log) }
    assert_operator monotonic, :<, deadline
    sleep 0.1
    retry
  end

  # Servers that ask the site, while the block runs.
  def start_servers
    site = "http://127.0.0.1:#{@port}/prebind/chat-login"
    command = ["servers", "all", "--no-limits", "--json", "--site", site]
    Open3.popen2({ "PREBIND_SITE_SECRET" => SECRET }, *command) do |stdin, stdout, _|
      yield JSON.parse(stdout.gets).values
      stdin.close
    end
  end

  # The page that took a session over.
  class Page
    def initialize(server, session)
      @uri = URI(server.fetch("http_url"))
      @rid = session.rid
      @sid = session.sid
    end

    # Sends, and returns what the server has to say by then.
    def say(*stanzas)
      body = %(<body xmlns="http://jabber.org/protocol/httpbind" rid="#{@rid}" sid="#{@sid}">#{stanzas.join}</body>)
      @rid += 1
      Net::HTTP.post(@uri, body, { "Content-Type" => "text/xml" }).body.force_encoding(Encoding::UTF_8)
    end

    # Sends, and returns what the server says until it answers a question of its own.
    def ask(*stanzas)
      said = say(*stanzas, '<iq xmlns="jabber:client" type="get" id="after"><query xmlns="jabber:iq:roster"/></iq>')
      said += say until said.match?(/id=["']after["']/)
      said
    end
  end
end
