# frozen_string_literal: true

require "prebind/trial/settings"

module Prebind
  # One real login, as the site would do it: what `rake prebind:try[user]` does.
  class Trial
    # How many users are looked at, the newest first.
    MOST_USERS = 10_000
    private_constant :MOST_USERS

    # @param name [String] what `find_user` takes
    # @param output [IO]
    # @param host [String] the site's, for {Web::Configuration#tenant}
    def initialize(name, output = $stdout, config = Prebind.config, host: "localhost")
      @name = name
      @output = output
      # What a page of the user's asks, as far as is known here: without a session.
      @request = Web::Endpoint.request_of(Rack::MockRequest.env_for("http://#{host}/"))
      @config = config.for(@request)
      @settings = Settings.new(@config)
    end

    # Step by step.
    #
    # @return [void]
    # @raise [SystemExit] if a step fails; then it has said which, and why
    def call
      user = step("user", -> { found }) { |it| "key #{Web::Guard.key_of(it)}" }
      jid, credentials = step("account", -> { account_of(user) }) { |jid, given| "#{jid}, with #{given.keys.join(', ')}" }
      step("users", -> { users_like(user) }, &:itself)
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
      jid = @config.jid_of(user, @request)
      abort "account: user_jid says that this user has no chat" if jid.to_s.empty?
      [jid, @config.credentials_of(user, jid, @request)]
    end

    # Whether two users are one in the chat, as far as the newest tell.
    def users_like(user)
      return "not tried: #{user.class} has no last" unless user.class.respond_to?(:last)

      users = user.class.last(MOST_USERS)
      one, other = Native.web_sharing(users.map { |each| jid_or_nothing(each) })
      return "no two of the #{users.size} newest share a JID" unless one

      keys = users.values_at(one, other).map { |each| Web::Guard.key_of(each) }.join(" and ")
      "warning: those with the keys #{keys} share #{@config.jid_of(users[one], @request)}: let config.user_jid take the key"
    end

    def jid_or_nothing(user)
      @config.jid_of(user, @request).to_s
    rescue StandardError
      # They have no chat, so they share none.
      ""
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
    rescue Web::SettingsError => e
      abort "#{name}: #{e.message}"
    rescue *Web::FAILURES => e
      abort "#{name}: #{Web.place_of(e)}"
    end

    def report(name, value)
      @output.puts format("%<name>-14s %<value>s", name:, value:)
    end
  end
end
