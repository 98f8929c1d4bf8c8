# frozen_string_literal: true

# What the tests share: servers, real ones and ones that misbehave.
#
# They look for the commands `faults` and `servers` in the PATH, and for what `servers all -- ruby`
# puts into the environment.

require "cgi"
require "minitest/autorun"
require_relative "faulty"

ACCOUNT = "alice@localhost"
PASSWORD = "wonder-1"

# A real server, as `servers` describes it.
class Real
  attr_reader :kind, :http_url, :https_url, :accounts, :tokens, :ca, :certificate

  def self.all
    @all ||= JSON.parse(ENV.fetch("PREBIND_SERVERS")).to_h { |kind, described| [kind, new(kind, described)] }
  end

  def initialize(kind, described)
    @kind = kind
    @http_url, @https_url, @accounts, @tokens =
      described.values_at("http_url", "https_url", "accounts", "tokens")
    @ca, *@certificate = described.values_at("ca_pem", "client_cert", "client_key").map { |path| File.read(path) }
  end

  def client(**options)
    Prebind::Client.new(https_url, ca:, **options)
  end

  # The full JIDs that are bound now.
  def bound
    said, status = Open3.capture2("servers", "sessions")
    raise "servers sessions failed" unless status.success?

    JSON.parse(said).dig(kind, "jids")
  end

  # Who is bound and was not before. A server may close a session shortly after it has answered the request to do so.
  def left(before)
    deadline = monotonic + 30
    sleep 0.05 until (jids = bound - before).empty? || monotonic > deadline
    jids
  end
end

# With an identity provider, it is Prosody 13.
PROSODY = Real.all.values_at("prosody", "prosody13").compact.first
EJABBERD = Real.all["ejabberd"]
SERVERS = Real.all.values

# Calls the block with each value, a few at once.
def in_threads(values, count = 4, &block)
  queue = Queue.new(values).close
  results = {}
  threads = Array.new(count) do
    Thread.new do
      while (value = queue.pop)
        results[value] = block.call(value)
      end
    end
  end
  threads.each(&:join)
  results
end

def monotonic
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

# How many seconds the block takes. The time does not count by which the machine held this process up: a thread sleeps
# in short steps beside the block, and what it oversleeps is taken off.
def took
  tick = 0.005
  is_over = Queue.new
  watcher = Thread.new do
    late = 0
    while is_over.empty?
      start = monotonic
      sleep tick
      late += [monotonic - start - tick, 0].max
    end
    late
  end
  start = monotonic
  begin
    yield
  ensure
    elapsed = monotonic - start
    is_over << true
    late = watcher.value
  end
  elapsed - late
end

# Fails if a process grows with its calls; each of its states came after so many of them.
def assert_no_growth(states, calls)
  said, status = Open3.capture2e("faults", "growth", "--calls", calls.to_s, stdin_data: states.map(&:to_json).join("\n"))
  assert status.success?, "#{said}#{states}"
end

# For tests/run: the results in JUnit XML, in the folder PREBIND_RESULTS.
Minitest.extensions << "junit"
module Minitest
  def self.plugin_junit_init(_options)
    folder = ENV.fetch("PREBIND_RESULTS", nil)
    reporter << JunitReporter.new("#{folder}/minitest-#{Process.pid}.xml") if folder
  end

  class JunitReporter < AbstractReporter
    def initialize(file)
      super()
      @file = file
      @cases = []
    end

    def record(result)
      outcome = if result.skipped? then %(<skipped message="#{escaped(result.failure.message)}"/>)
                elsif !result.passed? then "<failure/>"
                end
      @cases << %(<testcase classname="#{escaped(result.klass)}" name="#{escaped(result.name)}">#{outcome}</testcase>)
    end

    def report
      File.write(@file, "<testsuite>\n#{@cases.join("\n")}\n</testsuite>\n")
    end

    private

    def escaped(text)
      CGI.escapeHTML(text.scrub("?").gsub(/[^[:print:]]/, "?"))
    end
  end
end
