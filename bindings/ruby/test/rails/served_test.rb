# frozen_string_literal: true

require "net/http"
require "socket"
require "tmpdir"
require_relative "../support"

# The example under Puma: two processes of four threads each, forked after everything is loaded.
#
# A browser repeats a GET whose connection broke before the answer came, and so do the visitors here.
# Nothing else may go wrong, whatever happens to the processes meanwhile.
class ServedTest < Minitest::Test
  WORKERS = 2
  CALLS = 200
  # So many times that many calls are made, for `faults growth` to see a leak.
  STATES = 5
  # It also tells who answers.
  RACKUP = <<~RUBY.freeze
    require "#{ROOT}/examples/rails/config/environment"
    Prebind.config.rate_limit = nil
    Prebind.config.options = { max_host_calls: 100 } # all threads, since each visitor is to get a session
    run(lambda do |env|
      Rails.application.call(env).tap { |_, headers, _| headers["x-worker"] = Process.pid.to_s }
    end)
  RUBY
  BROKEN = [SystemCallError, EOFError, Net::ReadTimeout, Net::HTTPBadResponse].freeze

  def setup
    @before = PROSODY.bound
  end

  def test_the_processes_keep_nothing
    serve do |puma|
      workers = children_of(puma)
      states = Array.new(STATES) do
        answers = prebinds
        assert_equal [0], answers.map(&:last).uniq, "a connection broke"
        assert_equal workers, workers_of(answers), "not all have answered"
        assert_equal CALLS, (PROSODY.bound - @before).size
        finish(answers)
        assert_empty PROSODY.left(@before)
        assert_equal workers, children_of(puma)
        opened(workers)
      end
      assert_no_growth states, CALLS
    end
  end

  def test_processes_are_killed_and_come_back
    serve do |puma|
      workers = children_of(puma)
      kill = ->(signal) { Process.kill(signal, children_of(puma).min) }
      answers = prebinds({ 40 => -> { kill.call("KILL") }, 90 => -> { kill.call("TERM") }, 140 => -> { kill.call("KILL") } })
      broken = answers.sum(&:last)
      assert_operator broken, :>, 0, "it was not killed at work"
      finish(answers)
      # Who is killed at once cannot end what it has begun. The chat server will, as for any browser that does not come.
      assert_operator (PROSODY.bound - @before).size, :<=, broken

      wait_until { children_of(puma).size == WORKERS && (children_of(puma) & workers).empty? }
      come_back(children_of(puma))
    end
  end

  def test_nothing_is_left_behind
    serve do |puma|
      asking = Array.new(8) { Thread.new { get("/prebind") } }
      # Who asks as it ends may get no answer.
      asking.each { |thread| thread.report_on_exception = false }
      workers = children_of(puma)
      assert_equal WORKERS, workers.size
      stop(puma)
      assert_empty(workers.select { |pid| alive?(pid) })
    end
  end

  private

  # --- the visitors

  # The sessions of many visitors at once, each with who gave it and how often the connection broke before.
  # `disturb` says what to do after how many answers.
  def prebinds(disturb = {})
    done = Queue.new
    asking = Array.new(CALLS) do
      Thread.new do
        session
      ensure
        done << true
      end
    end
    CALLS.times { |count| done.pop && disturb[count]&.call }
    asking.map(&:value)
  end

  def session
    10.times do |broken|
      answer = get("/prebind")
      assert_equal "200", answer.code, answer.body
      return [JSON.parse(answer.body), answer["x-worker"].to_i, broken]
    rescue *BROKEN
      # The process that had the request is gone.
      sleep 0.1
    end
    flunk "the site does not come back"
  end

  # All of them are different ones, and work. On a busy machine the server may have ended the first of them already:
  # it waits a minute for the browser.
  def finish(answers)
    assert_equal CALLS, answers.map { |session, *| session["sid"] }.uniq.size
    client = PROSODY.client(deadline: 30, connect_timeout: 30, request_timeout: 30)
    ended = in_threads(answers.map(&:first)) do |session|
      client.terminate(sid: session["sid"], rid: session["rid"])
      true
    rescue Prebind::TerminatedError => e
      assert_equal "item-not-found", e.condition
      false
    end
    assert ended.value?(true), "the server knows none of them"
  end

  def get(path)
    request(Net::HTTP::Get.new(path, { "Cookie" => @cookie, "Sec-Fetch-Site" => "same-origin" }.compact))
  end

  def request(request)
    request["Connection"] = "close"
    Net::HTTP.start("127.0.0.1", @port, read_timeout: 120, max_retries: 0) { |http| http.request(request) }
  end

  def sign_in
    page = get("/login")
    @cookie = page["Set-Cookie"][/[^;]+/]
    login = Net::HTTP::Post.new("/login", { "Cookie" => @cookie })
    login.set_form_data(username: "alice", password: "site-of-alice",
                        authenticity_token: page.body[/name="authenticity_token" value="([^"]+)"/, 1])
    @cookie = request(login)["Set-Cookie"][/[^;]+/]
  end

  # --- the processes

  def serve
    @cookie = nil
    @port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    Dir.mktmpdir do |folder|
      File.write("#{folder}/config.ru", RACKUP)
      environment = { "SITE_PORT" => @port.to_s, "SITE_BOSH_URL" => PROSODY.http_url }
      puma = spawn(environment, "#{ROOT}/examples/rails/serve", "#{folder}/config.ru", out: File::NULL)
      # With time to install what the page needs.
      wait_until(120) { answers? }
      sign_in
      yield puma
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

  def answers?
    TCPSocket.new("127.0.0.1", @port).close
    true
  rescue Errno::ECONNREFUSED
    false
  end

  def wait_until(seconds = 60)
    deadline = monotonic + seconds
    until yield
      assert_operator monotonic, :<, deadline
      sleep 0.1
    end
  end

  # New ones are as good as those before.
  def come_back(workers)
    # One that does not listen yet has no share of them.
    wait_until { workers_of(prebinds.tap { |answers| finish(answers) }) == workers }
    states = Array.new(STATES) do
      answers = prebinds
      assert_equal [0], answers.map(&:last).uniq, "a connection broke"
      finish(answers)
      opened(workers)
    end
    assert_no_growth states, CALLS
  end

  def workers_of(answers)
    answers.map { |_, worker, _| worker }.uniq.sort
  end

  def children_of(pid)
    File.read("/proc/#{pid}/task/#{pid}/children").split.map(&:to_i).sort
  end

  # How many open files, sockets among them, and threads these processes have.
  def opened(pids)
    { files: "fd", threads: "task" }.transform_values { |entry| pids.sum { |pid| Dir["/proc/#{pid}/#{entry}/*"].size } }
  end

  def alive?(pid)
    File.read("/proc/#{pid}/stat")[/\) (.)/, 1] != "Z"
  rescue Errno::ENOENT
    false
  end
end
