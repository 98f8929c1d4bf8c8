# frozen_string_literal: true

require "logger"
require "timeout"
require_relative "support"

# What is raised in a thread is heeded while a call waits, and no session is left behind then.
class InterruptsTest < Minitest::Test
  # How late it may be: a slice, the end of the session, and the machine's share.
  GRACE = 0.6

  class Raised < StandardError; end

  %w[no-headers headers-drip body-drips tls-silent].each do |fault|
    define_method("test_a_timeout_ends_the_call_#{fault}") do
      Faulty.serve(fault) do |server|
        soon(0.3) { assert_raises(Timeout::Error) { Timeout.timeout(0.3) { login(server.client) } } }
      end
    end
  end

  [2, 3, 4].each do |at|
    define_method("test_the_session_is_ended_at_#{at}") do
      server, = Faulty.serve("no-headers", "--at", at.to_s, "--once") do |running|
        assert_raises(Timeout::Error) { Timeout.timeout(0.3) { login(running.client) } }
      end
      requests = server.output["requests"]
      assert_equal at + 1, requests.size
      assert_match(/type="terminate"/, requests.last["body"])
    end
  end

  def test_a_thread_that_is_killed
    Faulty.serve("no-headers") do |server|
      [nil, Logger.new(IO::NULL, level: Prebind::TRACE)].each do |logger|
        Prebind.logger = logger
        ended = []
        thread = Thread.new do
          login(server.client)
          ended << :returned
        ensure
          ended << :ensured
        end
        sleep 0.3
        soon { thread.kill.join }
        assert_equal [:ensured], ended
      end
    end
  ensure
    Prebind.logger = nil
  end

  def test_what_another_thread_raises
    Faulty.serve("no-headers") do |server|
      thread = Thread.new { login(server.client) }
      thread.report_on_exception = false
      sleep 0.3
      thread.raise(Raised, "by another thread")
      soon { assert_equal "by another thread", assert_raises(Raised) { thread.join }.message }
    end
  end

  def test_what_is_put_off_is_raised_afterwards
    Faulty.serve("no-headers") do |server|
      thread = Thread.new do
        Thread.handle_interrupt(Raised => :never) do
          sleep 0.2
          assert_raises(Prebind::TimeoutError) { login(server.client(deadline: 0.6)) }
          Thread.current[:waited] = true
        end
      end
      thread.report_on_exception = false
      sleep 0.1
      thread.raise(Raised)
      assert_raises(Raised) { thread.join }
      assert thread[:waited]
    end
  end

  def test_a_signals_handler_that_raises
    Faulty.serve("no-headers") do |server|
      # With a second thread, which Ruby treats in another way.
      other = Thread.new { sleep }
      with_alarm(-> { raise Raised }) do
        soon(0.3) { assert_raises(Raised) { login(server.client) } }
      end
      other.kill
    end
  end

  def test_a_signals_handler_that_returns
    called = nil
    Faulty.serve("no-headers") do |server|
      with_alarm(-> { called = monotonic }) do
        start = monotonic
        assert_raises(Prebind::TimeoutError) { login(server.client(deadline: 1)) }
        assert_operator called - start, :<, 0.3 + GRACE
      end
    end
  end

  def test_a_signals_handler_may_log_in_itself
    opened = nil
    Faulty.serve("no-headers") do |server|
      with_alarm(-> { opened = login(PROSODY.client) }) do
        assert_raises(Prebind::TimeoutError) { login(server.client(deadline: 2)) }
      end
    end
    PROSODY.client.terminate(opened)
  end

  def test_the_client_can_be_used_again
    Faulty.serve("no-headers", "--once") do |server|
      client = server.client(fail_fast_after: 1)
      assert_raises(Timeout::Error) { Timeout.timeout(0.2) { login(client) } }
      assert_match(/\Aalice@localhost/, login(client).jid)
    end
  end

  def test_an_exception_survives_garbage_collection
    Faulty.serve("no-headers") do |server|
      collector = Thread.new { loop { GC.start && GC.compact } }
      with_alarm(-> { raise Raised, %w[kept safe].join(" ") }) do
        assert_equal "kept safe", assert_raises(Raised) { login(server.client) }.message
      end
      collector.kill.join
    end
  end

  { "INT" => Signal.list["INT"], "TERM" => Signal.list["TERM"] }.each do |name, number|
    define_method("test_a_process_ends_by_#{name}") do
      Faulty.serve("no-headers") do |server|
        [false, true].each { |threads| assert_equal number, interrupted(server.url, name, threads) }
      end
    end
  end

  def test_a_name_lookup_is_given_up
    script = <<~RUBY
      require "prebind"; require "timeout"
      client = Prebind::Client.new("http://chat.example.org/", deadline: 30, resolve_timeout: 30, allow_cleartext: true)
      start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      Timeout.timeout(0.3) { client.prebind("alice@localhost", password: "x") } rescue puts($!.class)
      puts Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
    RUBY
    said, = Open3.capture2e("faults", "black-hole-dns", "--", RbConfig.ruby, "-e", script)
    raised, seconds = said.split
    assert_equal "Timeout::Error", raised
    assert_includes 0.3..(0.3 + GRACE), seconds.to_f
  end

  def test_a_connection_that_is_being_opened
    Faulty.serve("connect-hangs") do |server|
      client = server.client(connect_timeout: 30, deadline: 30)
      start = monotonic
      assert_raises(Timeout::Error) { Timeout.timeout(0.3) { login(client) } }
      assert_includes 0.3..(0.3 + GRACE), monotonic - start
    end
  end

  def test_a_process_ends_while_a_thread_is_in_a_call
    Faulty.serve("no-headers") do |server|
      script = "Thread.new { Prebind.prebind(ARGV[0], 'alice@localhost', password: 'x') }; sleep 0.3"
      start = monotonic
      said, status = Open3.capture2e(RbConfig.ruby, "-rprebind", "-e", script, server.url)
      assert_equal ["", 0], [said, status.exitstatus]
      # Before the call's own deadline, even where Ruby takes its time to start.
      assert_operator monotonic - start, :<, 4
    end
  end

  private

  def login(client)
    client.prebind(ACCOUNT, password: PASSWORD)
  end

  def soon(after = 0)
    start = monotonic
    yield
    assert_includes after..(after + GRACE), monotonic - start
  end

  # Calls a handler in 0.3 s.
  def with_alarm(handler)
    before = trap("ALRM") { handler.call }
    child = spawn("sleep 0.3; kill -ALRM #{Process.pid}")
    yield
  ensure
    Process.wait(child)
    trap("ALRM", before)
  end

  # Sends a signal to a process that waits in a call; the signal that it died of.
  def interrupted(url, name, with_threads)
    script = "Thread.new { loop { sleep 1 } } if ARGV[1]; $stdout.sync = true; puts 'calling'\n" \
             "Prebind::Client.new(ARGV[0], deadline: 30, request_timeout: 30).prebind('alice@localhost', password: 'x')"
    arguments = [url, *("threads" if with_threads)]
    Open3.popen2(RbConfig.ruby, "-rprebind", "-e", script, *arguments, err: IO::NULL) do |_, output, process|
      assert_equal "calling\n", output.gets
      sleep 0.3
      soon { Process.kill(name, process.pid) && process.join }
      process.value.termsig
    end
  end
end
