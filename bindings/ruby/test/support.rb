# frozen_string_literal: true

# What the tests share: servers, real ones and ones that misbehave.
#
# They look for the commands `faults` and `servers` in the PATH, and for what `servers all -- ruby`
# puts into the environment.

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
    deadline = monotonic + 10
    sleep 0.05 until (jids = bound - before).empty? || monotonic > deadline
    jids
  end
end

PROSODY = Real.all.fetch("prosody")
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

# The line that tests/run counts.
Minitest.extensions << "counted"
module Minitest
  def self.plugin_counted_init(options)
    reporter << CountedReporter.new(options[:io])
  end

  class CountedReporter < StatisticsReporter
    def report
      super
      failed = failures + errors
      # On a line of its own, whoever has printed before.
      io.puts "\ntest result: #{failed.zero? && count.positive? ? 'ok' : 'FAILED'}. " \
              "#{count - failed - skips} passed; #{failed} failed; minitest"
    end
  end
end
