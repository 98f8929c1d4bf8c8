# frozen_string_literal: true

# Many calls, half of which fail: memory, descriptors and threads must not grow with them.
#
#     servers prosody --no-limits -- ruby soak.rb [CALLS]
#
# `faults growth` says whether they do.

require_relative "faulty"

THREADS = 8

# Into how many equal parts the calls are divided, after each of which it is measured.
SHARES = 10

prosody = JSON.parse(ENV.fetch("PREBIND_SERVERS")).fetch("prosody")
# On a busy machine, what takes a millisecond may take seconds.
PATIENCE = { fail_fast_after: 0, deadline: 300, connect_timeout: 300, request_timeout: 300 }.freeze
client = Prebind::Client.new(prosody["https_url"], ca: File.read(prosody["ca_pem"]), **PATIENCE)
unreachable = Prebind::Client.new("http://127.0.0.1:9/", fail_fast_after: 0)
faults = { "reset-before-reply" => "2", "html-page" => "3", "unclosed-xml" => "4" }
servers = faults.map { |fault, at| Faulty.new("serve", fault, "--at", at) }
reset, html, unclosed = servers.map { |server| server.client(**PATIENCE) }

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
  { memory: status[/VmRSS:\s+(\d+)/, 1].to_i, files: Dir["/proc/self/fd/*"].size,
    threads: status[/Threads:\s+(\d+)/, 1].to_i }.to_json
end

calls = Integer(ARGV.fetch(0, 10_000)) / SHARES
Thread.report_on_exception = false
states = Array.new(SHARES) do
  ways = Queue.new(WAYS.cycle.first(calls)).close
  Array.new(THREADS) do
    Thread.new do
      while (way = ways.pop)
        way.call
      end
    end
  end.each(&:join)
  state.call.tap { |it| puts it }
end
servers.each(&:stop)

said, status = Open3.capture2e("faults", "growth", "--calls", calls.to_s, stdin_data: states.join("\n"))
puts said
exit status.success?
