# frozen_string_literal: true

require "async"
require "logger"
require_relative "support"

# Fibers that take turns in one thread, as Falcon's do.
class FibersTest < Minitest::Test
  def teardown
    Prebind.logger = nil
  end

  # A logger that sleeps lets another fiber go on, with a call of its own.
  def test_calls_of_fibers_under_a_logger_that_sleeps
    before = PROSODY.bound
    Prebind.logger = logger { sleep(0.001) }
    client = PROSODY.client
    jids = in_fibers(6) do
      session = client.prebind(ACCOUNT, password: PASSWORD)
      client.terminate(session)
      assert_raises(Prebind::ConnectError) { Prebind::Client.new("http://127.0.0.1:9/").prebind(ACCOUNT, password: "x") }
      session.jid
    end
    assert_equal 6, jids.uniq.size
    assert_empty PROSODY.left(before)
  end

  # What the logger calls is another call.
  def test_a_call_within_the_logger
    client = PROSODY.client
    sessions = []
    calls = 0
    Prebind.logger = logger { sessions << client.prebind(ACCOUNT, password: PASSWORD) if (calls += 1) <= 2 }
    sessions << client.prebind(ACCOUNT, password: PASSWORD)
    assert_operator sessions.uniq(&:sid).size, :>=, 3
    sessions.each { |session| client.terminate(session) }
  end

  # If a call kept the other fibers, it would end by its deadline before any of them goes on.
  def test_other_fibers_go_on_while_a_call_waits
    session = Prebind::Session.new(jid: "#{ACCOUNT}/x", sid: "x", rid: 1)
    { prebind: [ACCOUNT, { password: "x" }], terminate: [session, {}] }.each do |name, (argument, keywords)|
      Faulty.serve("no-headers") do |server|
        client = server.client(deadline: 10, request_timeout: 10)
        happened = []
        in_fibers(1) do
          call = Async do
            client.public_send(name, argument, **keywords)
          ensure
            happened << :the_call_ended
          end
          server.wait_for_strike
          happened << :another_fiber_went_on
          call.stop
        end
        assert_equal %i[another_fiber_went_on the_call_ended], happened, name
      end
    end
  end

  def test_a_fiber_that_is_stopped_leaves_no_session
    server, = Faulty.serve("no-headers", "--at", "2", "--once") do |faulty|
      client = faulty.client(deadline: 60, request_timeout: 60)
      elapsed = took do
        in_fibers(1) do
          call = Async { client.prebind(ACCOUNT, password: PASSWORD) }
          faulty.wait_for_strike
          call.stop
        end
      end
      assert_operator elapsed, :<, 30, "half of the call's own deadline"
    end
    sent = server.output["requests"].map { |request| request["body"] }
    assert_equal 3, sent.size
    assert_match(/faults-sid.*type=.terminate/, sent.last)
  end

  # The call is over, and its fiber is stopped before it has the session.
  def test_a_fiber_that_is_stopped_as_its_call_ends_leaves_no_session
    before = PROSODY.bound
    client = PROSODY.client
    threads = []
    Thread.stub(:new, ->(&block) { Thread.start(&block).tap { |it| threads << it } }) do
      in_fibers(1) do
        call = Async { client.prebind(ACCOUNT, password: PASSWORD) }
        # Without a turn for the fiber.
        Thread.pass while threads.first.alive?
        call.stop
      end
    end
    refute_nil threads.first.value, "a session was opened"
    assert_empty PROSODY.left(before)
  end

  private

  def logger(&act)
    Logger.new(StringIO.new, level: Prebind::TRACE).tap do |logger|
      logger.define_singleton_method(:add) { |*| act.call }
    end
  end

  # What each of so many fibers comes to.
  def in_fibers(count)
    results = []
    Sync do |task|
      Array.new(count) { task.async { results << yield } }.each(&:wait)
    end
    results
  end
end
