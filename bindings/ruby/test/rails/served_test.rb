# frozen_string_literal: true

require "net/http"
require "socket"
require "tmpdir"
require_relative "../support"

# The example under Puma: two processes of four threads each, forked after everything is loaded.
class ServedTest < Minitest::Test
  RACKUP = <<~RUBY.freeze
    require "#{ROOT}/examples/rails/config/environment"
    Prebind.config.rate_limit = nil
    run Rails.application
  RUBY

  def test_two_hundred_at_once
    serve do |http|
      headers = { "Cookie" => sign_in(http), "Sec-Fetch-Site" => "same-origin" }
      answers = Array.new(200) { Thread.new { http.call.get("/prebind", headers) } }.map(&:value)
      assert_equal({ "200" => 200 }, answers.map(&:code).tally)
      sessions = answers.map { |answer| JSON.parse(answer.body) }
      assert_equal 200, sessions.map { |session| session["sid"] }.uniq.size
      client = PROSODY.client(deadline: 30)
      in_threads(sessions) { |session| client.terminate(sid: session["sid"], rid: session["rid"]) }
      assert_empty PROSODY.bound
    end
  end

  def test_nothing_is_left_behind
    serve do |http, puma|
      headers = { "Cookie" => sign_in(http), "Sec-Fetch-Site" => "same-origin" }
      asking = Array.new(8) { Thread.new { http.call.get("/prebind", headers) } }
      # Who asks as it ends may get no answer.
      asking.each { |thread| thread.report_on_exception = false }
      workers = children_of(puma)
      assert_equal 2, workers.size
      stop(puma)
      assert_empty(workers.select { |pid| alive?(pid) })
    end
  end

  private

  def serve
    port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    Dir.mktmpdir do |folder|
      File.write("#{folder}/config.ru", RACKUP)
      environment = { "SITE_PORT" => port.to_s, "SITE_BOSH_URL" => PROSODY.http_url }
      puma = spawn(environment, "#{ROOT}/examples/rails/serve", "#{folder}/config.ru", out: File::NULL)
      wait_for(port)
      yield(-> { Net::HTTP.start("127.0.0.1", port, read_timeout: 120) }, puma)
    ensure
      stop(puma)
    end
  end

  def stop(puma)
    Process.kill("TERM", puma)
    Process.wait(puma)
  rescue Errno::ESRCH, Errno::ECHILD
    # It has been.
  end

  # With time to install what the page needs.
  def wait_for(port, deadline = monotonic + 120)
    TCPSocket.new("127.0.0.1", port).close
  rescue Errno::ECONNREFUSED
    raise if monotonic > deadline

    sleep 0.2
    wait_for(port, deadline)
  end

  def sign_in(http)
    page = http.call.get("/login")
    form = { username: "alice", password: "site-of-alice",
             authenticity_token: page.body[/name="authenticity_token" value="([^"]+)"/, 1] }
    headers = { "Cookie" => page["Set-Cookie"][/[^;]+/], "Content-Type" => "application/x-www-form-urlencoded" }
    http.call.post("/login", URI.encode_www_form(form), headers)["Set-Cookie"][/[^;]+/]
  end

  def children_of(pid)
    File.read("/proc/#{pid}/task/#{pid}/children").split.map(&:to_i)
  end

  def alive?(pid)
    File.read("/proc/#{pid}/stat")[/\) (.)/, 1] != "Z"
  rescue Errno::ENOENT
    false
  end
end
