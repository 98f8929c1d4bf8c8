# frozen_string_literal: true

require "json"
require "rack"

module Prebind
  module Web
    # What the browser asks for a session, as a Rack app. Which request gets one, and what each outcome is
    # answered with, the core decides: bindings/web/README.md has the table.
    class Endpoint
      # Under this name a Rack before 3 takes several cookies, as lines.
      COOKIES = Rack.release < "3" ? "Set-Cookie" : "set-cookie"
      private_constant :COOKIES

      # A session for the user who is signed in, or the reason why there is none.
      def self.call(env, config = Prebind.config)
        status, headers, body = new(request_of(env), config).call
        # In lower case, as Rack 3 wants them. Rack 2 adds the site's own cookies under the other name.
        [status, headers.transform_keys { |name| name == COOKIES ? name : name.downcase }, [body]]
      end

      # The request as the site's own functions know it from its controllers.
      #
      # @param env [Hash] the Rack environment
      # @return [Rack::Request]
      def self.request_of(env)
        defined?(ActionDispatch::Request) ? ActionDispatch::Request.new(env) : Rack::Request.new(env)
      end

      # @param request [Rack::Request]
      # @param config [Configuration]
      def initialize(request, config)
        @request = request
        @config = config
      end

      # @return [Array(Integer, Hash, String)] status, headers and body
      def call
        asked = Guard.asked(@request)
        @config = @config.for(@request)
        user = @config.user_of(@request)
        asked.refusal(user ? true : false) || answer(asked, user, @config.jid_of(user, @request))
      rescue SignInAgain
        Prebind.logger&.info("prebind") { "no chat: the sign-in at the identity provider has expired" }
        Native.web_sign_in_again
      rescue Prebind::Error => e
        # The client has logged it, unless nothing was sent.
        Prebind.logger&.warn("prebind") { "no chat: #{e.message}" } if e.is_a?(ConfigError)
        Native.web_failed(e.kind, e.retry, e.retry_after)
      rescue *FAILURES => e
        # The settings, the site's own functions: somebody wants to see the line of code.
        Prebind.logger&.error("prebind") { "no chat: #{Web.place_of(e)}" }
        Native.web_broken
      end

      private

      def answer(asked, user, jid)
        refusal = asked.refusal_of(jid)
        return refusal if refusal

        wait = Guard.seconds_to_wait(jid, @config)
        return Native.web_rate_limited(wait) if wait.positive?

        complaint = asked.complaint(@config.browser_url.to_s, "browser_url")
        Prebind.logger&.warn("prebind") { complaint } if complaint
        session = opened(user, asked.full_jid(jid), jid)
        status, headers, body = Native.web_granted(JSON.generate(session.to_h(*@config.extras)))
        [status, headers.merge(cookies(asked.cookies(@config.browser_url.to_s, session.cookies))), body]
      end

      def cookies(set)
        return {} if set.empty?

        { COOKIES => COOKIES == "Set-Cookie" ? set.join("\n") : set }
      end

      def opened(user, jid, bare_jid)
        credentials = @config.credentials_of(user, bare_jid, @request)
        client = @config.client(Workers.of(@request.env))
        # The last that may have asked a database.
        Databases.release
        instrumented(user: Guard.key_of(user), jid:) do |payload|
          client.prebind(jid, **credentials).tap do |opened|
            payload.update(jid: opened.jid, mechanism: opened.mechanism, round_trips: opened.round_trips)
          end
        end
      ensure
        # A failure teaches too: what no longer holds must not lead the next process astray.
        @config.memory.keep(client) if client
      end

      def instrumented(payload, &)
        return yield(payload) unless defined?(ActiveSupport::Notifications)

        ActiveSupport::Notifications.instrument("prebind.session", payload, &)
      end
    end
  end
end
