# frozen_string_literal: true

require "prebind/doctor/settings"

module Prebind
  # What is wrong with the chat of a user, which `rake prebind:doctor[user]` prints. The core has the checks and their words:
  # bindings/web/README.md lists them.
  class Doctor
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

    # Opens one chat session as the site would, looks at all that it takes, and ends it. Prints a line for each check.
    #
    # @return [Boolean] whether nothing is wrong
    def call
      wrong = []
      Native::WEB_CHECKS.each do |check|
        line = Native.web_unmet(check, wrong)
        grade, line = line ? ["error", line] : tried(check)
        wrong << check if grade == "error"
        @output.puts line
      end
      wrong.empty?
    end

    private

    # How a check went, and the line that says so.
    def tried(check)
      start = Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond)
      outcome, words = outcome_of(check)
      milliseconds = Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond) - start
      Native.web_doctor(check, outcome, words.to_h { |name, word| [name.to_s, word.to_s] }, milliseconds)
    end

    # The name of the outcome, and the words of its text.
    def outcome_of(check)
      @settings.respond_to?(check) ? @settings.public_send(check) : send(check)
    rescue Prebind::Error => e
      ["failed", { message: e.message, kind: e.kind, stage: e.stage, condition: e.condition || "none", retry: e.retry }]
    rescue Web::SettingsError => e
      ["wrong", { complaint: e.message }]
    rescue *Web::FAILURES => e
      # Only where: what the site's own code says might repeat a secret.
      ["broken", { place: Web.place_of(e) }]
    end

    def site
      platform = "Rails #{::Rails.version}, Ruby #{RUBY_VERSION}"
      ["found", { platform:, settings: "the environment #{::Rails.env}" }]
    end

    def user
      @user = @config.find_user.call(@name) or return ["missing", { user: @name }]
      ["found", { user: @name, key: Web::Guard.key_of(@user) }]
    end

    def account
      @jid = @config.jid_of(@user, @request)
      return ["no_chat", {}] if @jid.to_s.empty?

      @credentials = @config.credentials_of(@user, @jid, @request)
      ["found", { jid: @jid, credentials: @credentials.keys.join(", ") }]
    rescue Web::SignInAgain
      ["sign_in", {}]
    end

    # Whether two users are one in the chat, as far as the newest tell.
    def users
      return ["unlisted", {}] unless @user.class.respond_to?(:last)

      users = @user.class.last(MOST_USERS)
      one, other = Native.web_sharing(users.map { |each| jid_or_nothing(each) })
      return ["apart", { count: users.size }] unless one

      names = users.values_at(one, other).map { |each| "the user with the key #{Web::Guard.key_of(each)}" }
      ["shared", { one: names.first, other: names.last, jid: @config.jid_of(users[one], @request) }]
    end

    def jid_or_nothing(user)
      @config.jid_of(user, @request).to_s
    rescue *Web::FAILURES
      # They have no chat, so they share none.
      ""
    end

    def client
      @client = @config.client
      ["made", { url: @config.url }]
    end

    def login
      @session = @client.prebind(@jid, **@credentials)
      words = { jid: @session.jid, mechanism: @session.mechanism, round_trips: @session.round_trips }
      @session.inactivity ? ["in", { **words, inactivity: @session.inactivity }] : ["in_untimed", words]
    end

    def end
      @client.terminate(@session)
      ["ended", {}]
    end

    def cache
      @settings.kept(@client)
    end

    # Whether another token of the user's logs in as well.
    def next_login
      @client.next_login(@jid, @credentials, @config.credentials_of(@user, @jid, @request))
    end

    # Whether a request that is too long is refused.
    def body_limit
      @client.body_limit(@credentials, @config.browser_url)
    end
  end
end
