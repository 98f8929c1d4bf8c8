# frozen_string_literal: true

# Many calls, half of which fail: memory, descriptors and threads must not grow.
#
#     servers prosody --no-limits -- ruby soak.rb [CALLS]

require_relative "faulty"

# What memory may differ by from the second fifth of the calls to the last, in KiB.
SLACK = 4000
THREADS = 8

prosody = JSON.parse(ENV.fetch("PREBIND_SERVERS")).fetch("prosody")
client = Prebind::Client.new(prosody["https_url"], ca: File.read(prosody["ca_pem"]), fail_fast_after: 0, deadline: 30)
unreachable = Prebind::Client.new("http://127.0.0.1:9/", fail_fast_after: 0)
faults = { "reset-before-reply" => "2", "html-page" => "3", "unclosed-xml" => "4" }
servers = faults.map { |fault, at| Faulty.new("serve", fault, "--at", at) }
reset, html, unclosed = servers.map { |server| server.client(fail_fast_after: 0, deadline: 30) }

login = ->(jid, **proof) { client.terminate(client.prebind(jid, **proof)) }
LOGINS = [
  -> { login.call("alice@localhost", password: "wonder-1") },
  -> { login.call("alice@plain.local", token: "wonder-1") }
].freeze

fails = lambda do |other, kind, jid = "alice@localhost", password = "wonder-1"|
  other.prebind(jid, password:)
  abort "#{jid} succeeded"
rescue kind
  nil
end
FAILURES = [
  -> { fails.call(client, Prebind::AuthError, "alice@localhost", "wrong") },
  -> { fails.call(client, Prebind::TerminatedError, "alice@nowhere.local") },
  -> { fails.call(unreachable, Prebind::ConnectError) },
  -> { fails.call(reset, Prebind::ConnectError) },
  -> { fails.call(html, Prebind::HttpError) },
  -> { fails.call(unclosed, Prebind::ProtocolError) }
].freeze

# One after the other: one that succeeds, one that fails.
WAYS = LOGINS.cycle.first(FAILURES.size).zip(FAILURES).flatten.freeze

# Resident memory in KiB, open files, threads.
state = lambda do
  GC.start
  status = File.read("/proc/self/status")
  [status[/VmRSS:\s+(\d+)/, 1].to_i, Dir["/proc/self/fd/*"].size, status[/Threads:\s+(\d+)/, 1].to_i]
end

calls = Integer(ARGV.fetch(0, 10_000))
Thread.report_on_exception = false
states = Array.new(5) do |fifth|
  ways = Queue.new(WAYS.cycle.first(calls / 5)).close
  Array.new(THREADS) do
    Thread.new do
      while (way = ways.pop)
        way.call
      end
    end
  end.each(&:join)
  state.call.tap { |it| puts format("#{(fifth + 1) * calls / 5} calls: %d KiB, %d files, %d threads", *it) }
end

memory, files, threads = states.transpose
abort "memory grows" if memory.last - memory[1] > SLACK
# A connection to each server for each thread, if they happen to call at once.
abort "files are left open" if files.max > files[1] + ((servers.size + 1) * THREADS)
abort "threads are left" if threads.max > threads[1] + 1
servers.each(&:stop)
