# frozen_string_literal: true

# Many calls, half of which fail: memory, descriptors and threads must not grow.
#
#     servers prosody --no-limits -- ruby soak.rb [CALLS]

require "json"
require "prebind"

# What memory may differ by from the second fifth of the calls to the last, in KiB.
SLACK = 4000
THREADS = 8
# Twice as many as a client keeps connections.
FILES = 64

prosody = JSON.parse(ENV.fetch("PREBIND_SERVERS")).fetch("prosody")
options = { ca: File.read(prosody["ca_pem"]), fail_fast_after: 0, deadline: 30 }
client = Prebind::Client.new(prosody["https_url"], **options)
unreachable = Prebind::Client.new("http://127.0.0.1:9/", fail_fast_after: 0)

fails = lambda do |other, *account|
  other.prebind(account[0], token: account[1])
  abort "#{account} succeeded"
rescue Prebind::Error
  nil
end
login = -> { client.terminate(client.prebind("alice@localhost", token: "wonder-1")) }
WAYS = [
  login, -> { fails.call(client, "alice@localhost", "wrong") },
  login, -> { fails.call(unreachable, "alice@localhost", "wonder-1") },
  login, -> { fails.call(client, "alice@nowhere.local", "wonder-1") }
].freeze

# Resident memory in KiB, open files, threads.
state = lambda do
  GC.start
  status = File.read("/proc/self/status")
  [status[/VmRSS:\s+(\d+)/, 1].to_i, Dir["/proc/self/fd/*"].size, status[/Threads:\s+(\d+)/, 1].to_i]
end

calls = Integer(ARGV.fetch(0, 10_000))
states = Array.new(5) do |fifth|
  Array.new(THREADS) do |thread|
    Thread.new { (thread...(calls / 5)).step(THREADS) { |number| WAYS[number % WAYS.size].call } }
  end.each(&:join)
  state.call.tap { |it| puts format("#{(fifth + 1) * calls / 5} calls: %d KiB, %d files, %d threads", *it) }
end

first, last = states.values_at(1, 4)
abort "memory grows" if last[0] - first[0] > SLACK
abort "files are left open" if states.map { |it| it[1] }.max > FILES
abort "threads are left" if states.map { |it| it[2] }.max > first[2] + 1
