# frozen_string_literal: true

require_relative "support"

# Threads, forks, Ractors and the garbage collector.
class ConcurrencyTest < Minitest::Test
  # What a Ractor comes to has another name from Ruby 3.5 on.
  VALUE = Ractor.method_defined?(:value) ? "value" : "take"

  # More of it for what is moved; before Ruby 3.2 it had another name.
  ROOM = RUBY_VERSION < "3.2" ? :double_heap : :expand_heap

  def test_other_threads_run_meanwhile
    Faulty.serve("no-headers") do |server|
      client = server.client(deadline: 1, fail_fast_after: 0)
      ticks = 0
      ticker = Thread.new { loop { sleep(0.01) && ticks += 1 } }
      seconds = took do
        calls = Array.new(8) { Thread.new { assert_raises(Prebind::TimeoutError) { login(client) } } }
        calls.each(&:join)
      end
      ticker.kill.join
      assert_operator seconds, :<, 4, "eight waits of a second, at once"
      assert_operator ticks, :>, 8, "more than one after each of them"
    end
  end

  def test_one_client_for_many_threads
    SERVERS.each do |server|
      before = server.bound
      client = server.client(deadline: 30, connect_timeout: 30, request_timeout: 30)
      # ejabberd lets a user have ten sessions at once.
      sids = in_threads((1..48).to_a, 8) { login_and_out(client, token: PASSWORD).sid }
      assert_equal 48, sids.values.uniq.size
      assert_empty server.left(before)
    end
  end

  def test_fork_after_use
    client = PROSODY.client
    5.times do
      assert_match(%r{\Aalice@localhost/}, in_child { login_and_out(client).jid })
      assert_match(%r{\Aalice@localhost/}, login_and_out(client).jid)
    end
  end

  def test_fork_while_other_threads_call
    client = PROSODY.client
    is_over = false
    threads = Array.new(4) { Thread.new { login_and_out(client) until is_over } }
    answers = Array.new(10) { in_child { login_and_out(client).jid } }
    is_over = true
    threads.each(&:join)
    answers.each { |answer| assert_match(%r{\Aalice@localhost/}, answer) }
  end

  def test_forked_workers_with_threads
    client = PROSODY.client(deadline: 30, connect_timeout: 30, request_timeout: 30)
    login_and_out(client)
    answers = in_threads([1, 2]) do
      in_child { in_threads((1..8).to_a) { login_and_out(client).jid }.values.uniq.size.to_s }
    end
    assert_equal %w[8 8], answers.values
  end

  def test_ractors
    script = <<~RUBY
      client = Prebind::Client.new(*ARGV[0, 1], ca: File.read(ARGV[1]))
      ractors = Array.new(2) do
        Ractor.new(client) do |shared|
          session = shared.prebind("alice@localhost", token: "wonder-1")
          sent = shared.prebind("alice@localhost", token: "wonder-1")
          Ractor.new(shared, sent) { |client, it| client.terminate(it) }.#{VALUE}
          shared.terminate(session)
          begin
            Prebind.prebind("http://127.0.0.1:9/", "alice@localhost", password: "x")
          rescue Prebind::ConnectError
            session.jid.split("/").first
          end
        end
      end
      print ractors.map(&:#{VALUE})
    RUBY
    before = PROSODY.bound
    ca = JSON.parse(ENV.fetch("PREBIND_SERVERS")).dig("prosody", "ca_pem")
    said, = Open3.capture2e(RbConfig.ruby, "-W:no-experimental", "-rprebind", "-e", script, PROSODY.https_url, ca)
    assert_equal '["alice@localhost", "alice@localhost"]', said
    assert_empty PROSODY.left(before)
  end

  def test_under_the_stress_of_the_garbage_collector
    client = PROSODY.client(headers: { "X-Site" => "shop" }, iterations: 4096..600_000)
    GC.stress = true
    sessions = Array.new(3) { login(client) }
    errors = Array.new(3) { assert_raises(Prebind::AuthError) { client.prebind(ACCOUNT, password: "wrong") } }
    assert_raises(Prebind::ConfigError) { Prebind::Client.new("https://localhost/", ca: "x") }
    GC.stress = false
    assert_equal 3, sessions.map(&:sid).uniq.size
    assert_equal ["not-authorized"], errors.map(&:condition).uniq
    sessions.each { |session| client.terminate(session) }
  ensure
    GC.stress = false
  end

  def test_while_memory_is_compacted
    client = PROSODY.client(deadline: 30, connect_timeout: 30, request_timeout: 30)
    compactor = Thread.new { loop { GC.compact && sleep(0.001) } }
    sessions = in_threads((1..16).to_a) { login_and_out(client) }.values
    compactor.kill.join
    sessions.each { |session| assert_match(%r{\Aalice@localhost/}, session.jid) }
    GC.verify_compaction_references(ROOM => true, toward: :empty)
    assert_equal 16, sessions.map(&:sid).uniq.size
    login_and_out(client)
  end

  private

  def login(client, **proof)
    proof = { password: PASSWORD } if proof.empty?
    client.prebind(ACCOUNT, **proof)
  end

  def login_and_out(client, **proof)
    login(client, **proof).tap { |session| client.terminate(session) }
  end

  # What the block returns in a forked process.
  def in_child
    reader, writer = IO.pipe
    child = fork do
      writer.write(yield)
    rescue Exception => e # rubocop:disable Lint/RescueException -- told to the parent
      writer.write(e.full_message)
    ensure
      exit! # without the tests that are left
    end
    writer.close
    reader.read
  ensure
    Process.wait(child)
  end
end
