# frozen_string_literal: true

require "logger"
require "stringio"
require_relative "support"

# What is logged, and that nothing secret is.
class LogTest < Minitest::Test
  def setup
    @output = StringIO.new
  end

  def teardown
    Prebind.logger = nil
  end

  def test_nothing_secret_is_logged
    log_at(Prebind::TRACE)
    SERVERS.each do |server|
      client = server.client(headers: { "X-Site" => "header-secret" })
      sessions = [{ password: PASSWORD }, { token: PASSWORD }].map { |proof| client.prebind(ACCOUNT, **proof) }
      assert_raises(Prebind::AuthError) { client.prebind(ACCOUNT, password: "wrong-password") }
      sessions.each { |session| client.terminate(session) }
      secrets = sessions.flat_map { |session| [session.sid, session.rid, session.last_rid] }
      [PASSWORD, "wrong-password", "header-secret", "AGFsaWNl", *secrets].each { |secret| refute_includes log, secret.to_s }
    end
    assert_equal 4, log.scan("session opened").size
  end

  def test_levels
    counts = [Logger::WARN, Logger::INFO, Logger::DEBUG, Prebind::TRACE].map do |level|
      log_at(level)
      PROSODY.client.terminate(PROSODY.client.prebind(ACCOUNT, password: PASSWORD))
      @output.string.lines.size
    end
    assert_equal [0, 1], counts[0, 2]
    assert_equal counts, counts.sort.uniq
    assert_match(/ANY -- prebind\.wire: sent .*<body/, log)
    assert_match(/INFO -- prebind: session opened host="127\.0\.0\.1" jid=alice@localhost mechanism="SCRAM-SHA-1"/, log)
  end

  # ejabberd takes two requests at once, and each has a thread of its own.
  def test_what_two_threads_send_is_logged
    client = EJABBERD.client
    client.terminate(client.prebind(ACCOUNT, token: PASSWORD))
    log_at(Prebind::TRACE)
    client.terminate(client.prebind(ACCOUNT, token: PASSWORD))
    sent = log.lines.grep(/: sent .*<body/)
    ['ver="1.11"', "<auth ", 'restart="true"', "<iq ", 'type="terminate"'].each do |step|
      assert_equal 1, sent.grep(/#{step}/).size, "#{step} in #{log}"
    end
    # There may be one more, with nothing in it.
    assert_includes [4, 5], sent.size
    [": received .*<body", ": answered"].each { |answer| assert_equal sent.size, log.scan(/#{answer}/).size, log }
  end

  # As SemanticLogger's are.
  NamedLevels = Struct.new(:level, :said) do
    %i[trace debug info warn error].each { |name| define_method(name) { |message| said << [name, message] } }
  end

  def test_a_logger_whose_levels_have_names
    { fatal: [], info: %i[info], trace: %i[debug info trace] }.each do |level, names|
      Prebind.logger = NamedLevels.new(level, [])
      PROSODY.client.terminate(PROSODY.client.prebind(ACCOUNT, password: PASSWORD))
      assert_equal names, Prebind.logger.said.map(&:first).uniq.sort
    end
  end

  def test_a_failure_is_a_warning
    log_at(Logger::INFO)
    error = assert_raises(Prebind::ConnectError) { Prebind::Client.new("http://127.0.0.1:9/").prebind(ACCOUNT, password: "x") }
    assert_match(/WARN -- prebind: #{Regexp.escape(error.message)} .*jid=alice@localhost/, log)
  end

  def test_what_the_logger_raises_ends_the_call_and_the_session
    before = PROSODY.bound
    [/stage=create/, /session opened/].each do |line|
      logger = Logger.new(@output)
      logger.define_singleton_method(:add) { |_, message, *| raise IOError, "disk full" if message.match?(line) }
      Prebind.logger = logger
      assert_raises(IOError) { PROSODY.client.prebind(ACCOUNT, password: PASSWORD) }
      assert_empty PROSODY.left(before)
    end
  end

  def test_silent_unless_asked
    script = 'Prebind.prebind("http://127.0.0.1:9/", "alice@localhost", password: "x") rescue p($!.class)'
    said, = Open3.capture2e(RbConfig.ruby, "-rprebind", "-e", script)
    assert_equal "Prebind::ConnectError\n", said
  end

  private

  def log_at(level)
    @output = StringIO.new
    Prebind.logger = Logger.new(@output, level:)
  end

  def log
    @output.string
  end
end
