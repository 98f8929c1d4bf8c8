# frozen_string_literal: true

require "logger"
require "timeout"
require_relative "support"

# An exception raised in a thread interrupts a waiting call, and no session is left behind then.
class InterruptsTest < Minitest::Test
  # How long a call may take that is given up when it hangs, beside what is said of it: a slice, the end of the
  # session, and the machine's share.
  GRACE = 0.6

  class Raised < StandardError; end

  %w[no-headers headers-drip body-drips tls-silent].each do |fault|
    define_method("test_a_timeout_ends_the_call_#{fault}") do
      Faulty.serve(fault) do |server|
        start = monotonic
        assert_soon(0.3) { assert_raises(Timeout::Error) { Timeout.timeout(0.3) { login(server.client) } } }
        assert_operator monotonic - start, :>=, 0.3
      end
    end
  end

  # Ending it may take 150 ms, and a busy machine may not let the process run in that time, so it is tried three times.
  [2, 3, 4].each do |at|
    define_method("test_the_session_is_ended_at_#{at}") do
      tries = Array.new(3) do
        requests = requests_of_interrupted_call(at)
        break if requests.size == at + 1 && requests.last["body"].include?('type="terminate"')

        requests
      end
      assert_nil tries, "no session is left behind"
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
        server.wait_for_strike
        assert_soon { thread.kill.join }
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
      server.wait_for_strike
      thread.raise(Raised, "by another thread")
      assert_soon { assert_equal "by another thread", assert_raises(Raised) { thread.join }.message }
    end
  end

  def test_what_is_put_off_is_raised_afterwards
    inside, is_raised = Array.new(2) { Queue.new }
    Faulty.serve("no-headers") do |server|
      thread = Thread.new do
        Thread.handle_interrupt(Raised => :never) do
          inside << true
          is_raised.pop
          assert_raises(Prebind::TimeoutError) { login(server.client(deadline: 0.6)) }
          Thread.current[:waited] = true
        end
      end
      thread.report_on_exception = false
      inside.pop
      thread.raise(Raised)
      is_raised << true
      assert_raises(Raised) { thread.join }
      assert thread[:waited]
    end
  end

  def test_a_signals_handler_that_raises
    Faulty.serve("no-headers") do |server|
      # With a second thread, which Ruby treats in another way.
      other = Thread.new { sleep }
      assert_soon { with_alarm(server, -> { raise Raised }) { assert_raises(Raised) { login(server.client) } } }
      other.kill
    end
  end

  def test_a_signals_handler_that_returns
    called = nil
    Faulty.serve("no-headers") do |server|
      client = server.client(deadline: 3)
      with_alarm(server, -> { called = monotonic }) do
        assert_raises(Prebind::TimeoutError) { login(client) }
        assert_operator monotonic - called, :>, 1, "it was called while the call was waiting"
      end
    end
  end

  def test_a_signals_handler_may_log_in_itself
    opened = nil
    Faulty.serve("no-headers") do |server|
      with_alarm(server, -> { opened = login(PROSODY.client) }) do
        assert_raises(Prebind::TimeoutError) { login(server.client(deadline: 3)) }
      end
    end
    PROSODY.client.terminate(opened)
  end

  def test_the_client_can_be_used_again
    Faulty.serve("no-headers", "--once") do |server|
      client = server.client(fail_fast_after: 1)
      raised_by_another_thread(server) { login(client) }
      assert_match(/\Aalice@localhost/, login(client).jid)
    end
  end

  def test_an_exception_survives_garbage_collection
    Faulty.serve("no-headers") do |server|
      collector = Thread.new { loop { GC.start && GC.compact } }
      with_alarm(server, -> { raise Raised, %w[kept safe].join(" ") }) do
        assert_equal "kept safe", assert_raises(Raised) { login(server.client) }.message
      end
      collector.kill.join
    end
  end

  { "INT" => Signal.list["INT"], "TERM" => Signal.list["TERM"] }.each do |name, number|
    define_method("test_a_process_ends_by_#{name}") do
      Faulty.serve("no-headers") do |server|
        [false, true].each { |threads| interrupted(server, name, number, threads) }
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
    assert_includes 0.3..15, seconds.to_f, "half of the call's own deadline"
  end

  def test_a_connection_that_is_being_opened
    Faulty.serve("connect-hangs") do |server|
      client = server.client(connect_timeout: 30, deadline: 30)
      assert_soon(0.3) { assert_raises(Timeout::Error) { Timeout.timeout(0.3) { login(client) } } }
    end
  end

  def test_a_process_ends_while_a_thread_is_in_a_call
    Faulty.serve("no-headers") do |server|
      script = "Thread.new { Prebind::Client.new(ARGV[0], deadline: 60, request_timeout: 60)" \
               ".prebind('alice@localhost', password: 'x') }; $stdin.read"
      Open3.popen2e(RbConfig.ruby, "-rprebind", "-e", script, server.url) do |input, output, process|
        server.wait_for_strike
        said = nil
        seconds = took do
          input.close
          said = output.read
        end
        assert_equal ["", 0], [said, process.value.exitstatus]
        assert_operator seconds, :<, 30, "half of the call's own deadline"
      end
    end
  end

  private

  def login(client)
    client.prebind(ACCOUNT, password: PASSWORD)
  end

  def assert_soon(after = 0, &)
    assert_operator took(&), :<, after + GRACE
  end

  # When the fault strikes: after a fixed time the call might not have come so far.
  def requests_of_interrupted_call(at)
    server, = Faulty.serve("no-headers", "--at", at.to_s, "--once") do |running|
      raised_by_another_thread(running) { login(running.client) }
    end
    server.output["requests"]
  end

  def raised_by_another_thread(server, &)
    main = Thread.current
    other = Thread.new { server.wait_for_strike && main.raise(Raised) }
    assert_raises(Raised, &)
    other.join
  end

  # Calls a handler when the fault strikes. A process sees to that, as with a second thread Ruby treats signals in
  # another way.
  def with_alarm(server, handler)
    before = trap("ALRM") { handler.call }
    child = spawn("read line && kill -ALRM #{Process.pid}", in: server.stdout)
    yield
  ensure
    # Unless it has ended, since the fault has struck.
    Process.kill("KILL", child)
    Process.wait(child)
    trap("ALRM", before)
  end

  # Sends a signal, of which it dies soon, to a process that waits in a call.
  def interrupted(server, name, number, with_threads)
    script = "Thread.new { loop { sleep 1 } } if ARGV[1]; " \
             "Prebind::Client.new(ARGV[0], deadline: 30, request_timeout: 30).prebind('alice@localhost', password: 'x')"
    arguments = [server.url, *("threads" if with_threads)]
    Open3.popen2(RbConfig.ruby, "-rprebind", "-e", script, *arguments, err: IO::NULL) do |*, process|
      server.wait_for_strike
      # An interpreter has to shut down, too.
      assert_soon(1) { Process.kill(name, process.pid) && process.join }
      assert_equal number, process.value.termsig
    end
  end
end
