# frozen_string_literal: true

require "json"
require "open3"
require "prebind"

ROOT = File.expand_path("../../..", __dir__)

# A server of `faults`, while the block runs; then `output` has its last line.
class Faulty
  # Where it says each time the fault strikes.
  attr_reader :stdout
  attr_reader :url, :ca, :output, :stderr, :status

  def self.serve(*arguments, &)
    run("serve", "--tell", *arguments, &)
  end

  def self.run(*arguments)
    server = new(*arguments)
    [server, begin
      yield server
    ensure
      server.stop
    end]
  end

  def initialize(*arguments)
    @stdin, @stdout, @errors, @process = Open3.popen3("faults", *arguments, chdir: ROOT)
    line = @stdout.gets or raise @errors.read
    @url, @ca = JSON.parse(line).values_at("url", "ca")
  end

  def stop
    return if @stdin.closed?

    @stdin.close
    lines = @stdout.readlines
    @output = JSON.parse(lines.last) unless lines.empty?
    @stderr = @errors.read
    @status = @process.value.exitstatus
  end

  # Until the fault strikes once more.
  def wait_for_strike
    @stdout.gets&.include?("struck") or raise "it does not strike"
  end

  def client(**options)
    Prebind::Client.new(url, ca:, **options)
  end
end
