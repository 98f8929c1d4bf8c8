# frozen_string_literal: true

# Answers each line on stdin with a call of the gem.

require "json"
require "prebind"

url, jid, password, mechanism, ca = ENV.values_at(*%w[URL JID PASSWORD MECHANISM CA].map { |name| "PREBIND_#{name}" })
client = Prebind::Client.new(url, ca: File.read(ca), deadline: 30, request_timeout: 30, fail_fast_after: 0)
proof = { (mechanism == "PLAIN" ? :token : :password) => password }

$stdout.sync = true
$stdin.each_line do
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  begin
    session = client.prebind(jid, **proof)
    seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
    answer = { seconds:, round_trips: session.round_trips, sessions: [[session.sid, session.rid]] }
  rescue Prebind::Error => e
    answer = { errors: [e.message] }
  end
  puts JSON.generate(answer)
end
