# frozen_string_literal: true

require "prebind/trial/settings"

module Prebind
  # One real login, as the site would do it: what `rake prebind:try[user]` does.
  class Trial
    # @param name [String] what `find_user` takes
    # @param output [IO]
    def initialize(name, output = $stdout, config = Prebind.config)
      @name = name
      @output = output
      @config = config
      @settings = Settings.new(config)
    end

    # Step by step.
    #
    # @return [void]
    # @raise [SystemExit] if a step fails; then it has said which, and why
    def call
      user = step("user", -> { found }) { |it| "key #{Web::Guard.key_of(it)}" }
      jid, credentials = step("account", -> { account_of(user) }) { |jid, given| "#{jid}, with #{given.keys.join(', ')}" }
      %w[page cache browser_url].each { |name| step(name, -> { @settings.public_send(name) }, &:itself) }
      client = step("client", -> { @config.client }) { "the settings are good" }
      session = step("login", -> { client.prebind(jid, **credentials) }, &:jid)
      report "mechanism", session.mechanism
      report "round trips", session.round_trips
      report "attach within", "#{session.inactivity} s"
      step("end", -> { client.terminate(session) }) { "the session is gone" }
    end

    private

    def found
      @config.find_user.call(@name) or abort "user: there is no #{@name.inspect}; find_user looks for it"
    end

    def account_of(user)
      @config.account_of(user) or abort "account: user_jid says that this user has no chat"
    end

    # Does it, and prints what came of it and how long it took.
    def step(name, action)
      start = Process.clock_gettime(Process::CLOCK_MONOTONIC, :float_millisecond)
      result = action.call
      milliseconds = Process.clock_gettime(Process::CLOCK_MONOTONIC, :float_millisecond) - start
      report name, format("%<said>s (%<milliseconds>d ms)", said: yield(result), milliseconds:)
      result
    rescue Prebind::Error => e
      details = "kind=#{e.kind} stage=#{e.stage} condition=#{e.condition || 'none'} retry=#{e.retry}"
      abort "#{name}: #{e.message}\n  #{details}"
    rescue Settings::Wrong => e
      abort "#{name}: #{e.message}"
    rescue StandardError => e
      abort "#{name}: #{Web.place_of(e)}"
    end

    def report(name, value)
      @output.puts format("%<name>-14s %<value>s", name:, value:)
    end
  end
end
