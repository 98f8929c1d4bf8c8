# frozen_string_literal: true

# Answers each line on stdin with a call of the gem.

require "json"
require "prebind"

url, jid, password, mechanism, ca = ENV.values_at(*%w[URL JID PASSWORD MECHANISM CA].map { |name| "PREBIND_#{name}" })
client = Prebind::Client.new(url, ca: File.read(ca), deadline: 30, request_timeout: 30, fail_fast_after: 0)
proof = { (mechanism == "PLAIN" ? :token : :password) => password }

time = -> { Process.clock_gettime(Process::CLOCK_MONOTONIC) }
cpu = -> { Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) }

$stdout.sync = true
$stdin.each_line do
  before = cpu.call
  start = time.call
  begin
    session = client.prebind(jid, **proof)
    seconds = time.call - start
    cpu_seconds = cpu.call - before
    fallbacks = client.profile.include?("classic_until") ? 1 : 0
    answer = {
      seconds:, cpu_seconds:, round_trips: session.round_trips, fallbacks:,
      sessions: [[session.sid, session.rid]]
    }
  rescue Prebind::Error => e
    answer = { errors: [e.message] }
  end
  puts JSON.generate(answer)
end
