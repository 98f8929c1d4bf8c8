# frozen_string_literal: true

require "net/http"
require "open3"
require "socket"
require "tmpdir"

# Real chat servers that ask a real site, for a test.
module Asking
  SECRET = "chat-server-to-site"

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
  def start_servers(name)
    site = "http://127.0.0.1:#{@port}/prebind/chat-login"
    command = ["servers", name, "--no-limits", "--json", "--site", site]
    Open3.popen2({ "PREBIND_SITE_SECRET" => SECRET }, *command) do |stdin, stdout, _|
      yield JSON.parse(stdout.gets)
      stdin.close
    end
  end

  # The page that took a session over.
  class Page
    attr_reader :sid, :rid

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

    # What the server says until it says this.
    def hear(text)
      said = +""
      60.times do
        return said if said.include?(text)

        said << say
      end
      raise "#{text} is not in #{said}"
    end
  end
end
