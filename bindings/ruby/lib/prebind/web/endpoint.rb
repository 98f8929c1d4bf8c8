# frozen_string_literal: true

module Prebind
  module Web
    # What the browser asks for a session, with GET or POST.
    #
    # | status | kind | |
    # |---|---|---|
    # | 200 | | a fresh session, each time: `{"jid", "sid", "rid"}` |
    # | 400 | `Page` | `?page=` is not up to 64 letters, digits and hyphens |
    # | 401 | `NotLoggedIn` | never a redirect to a login page |
    # | 403 | `CrossOrigin`, `Csrf` | no page of this site asks |
    # | 403 | `NoChat` | `user_jid` says that the user has none |
    # | 405 | `Method` | |
    # | 429 | `RateLimit` | with `Retry-After`, in seconds |
    # | 503 | an error's kind | no chat at the moment; the reason is logged |
    class Endpoint
      # A status, headers, and what is to be JSON.
      Answer = Struct.new(:status, :headers, :content)

      HEADERS = {
        "Cache-Control" => "no-store",
        "Vary" => "Cookie",
        "X-Content-Type-Options" => "nosniff"
      }.freeze
      # For people whose language has no translation.
      UNAVAILABLE = "The chat is not available at the moment."
      private_constant :HEADERS, :UNAVAILABLE

      # @param request [Rack::Request]
      # @param config [Configuration]
      # @yieldreturn [Boolean] whether a POST has the site's CSRF token; without a block none has
      def initialize(request, config = Prebind.config, &has_token)
        @request = request
        @config = config
        @has_token = has_token
      end

      # @return [Answer]
      def call
        user = @config.user_of(@request) if %w[GET POST].include?(@request.request_method)
        refusal(user) || opened(user)
      rescue Prebind::Error => e
        # The client has logged it, unless nothing was sent.
        Prebind.logger&.warn("prebind") { "no chat: #{e.message}" } if e.is_a?(ConfigError)
        refused(503, e.kind, e.retry)
      rescue StandardError => e
        # The settings, the site's own callables: somebody wants to see the line of code.
        Prebind.logger&.error("prebind") { "no chat: #{Web.place_of(e)}" }
        refused(503, "Internal")
      end

      private

      def refusal(user)
        case @request.request_method
        when "GET" then forged = "CrossOrigin" unless Guard.same_origin?(@request)
        when "POST" then forged = "Csrf" unless @has_token&.call
        else return refused(405, "Method", "no", "Allow" => "GET, POST")
        end
        return refused(401, "NotLoggedIn") unless user
        return refused(403, forged) if forged
        return refused(400, "Page") unless Guard::PAGE.match?(page)

        wait = Guard.seconds_to_wait(user, @config)
        refused(429, "RateLimit", "later", "Retry-After" => wait.to_s) if wait.positive?
      end

      def opened(user)
        jid, credentials = @config.account_of(user, page)
        return refused(403, "NoChat") unless jid

        client = @config.client
        session = instrumented(user: Guard.key_of(user), jid:) do |payload|
          client.prebind(jid, **credentials).tap do |opened|
            payload.update(jid: opened.jid, mechanism: opened.mechanism, round_trips: opened.round_trips)
          end
        end
        Answer.new(200, HEADERS, session.to_h)
      ensure
        # A failure teaches too: what no longer holds must not lead the next process astray.
        @config.memory.keep(client) if client
      end

      # `kind` and `retry` are the browser's business, and for people there is a message.
      def refused(status, kind, again = "no", headers = {})
        content = { kind:, retry: again }
        content[:message] = message(kind) if defined?(I18n)
        Answer.new(status, HEADERS.merge(headers), content)
      end

      def message(kind)
        name = kind.gsub(/(?<=.)[A-Z]/) { |letter| "_#{letter}" }.downcase
        I18n.t(name, scope: "prebind.errors", default: [:unavailable, UNAVAILABLE], locale: @config.locale&.call(@request))
      rescue StandardError => e
        Prebind.logger&.error("prebind") { "no translation: #{Web.place_of(e)}" }
        UNAVAILABLE
      end

      # What the page calls itself. It becomes the resource of its sessions. A page whose session was
      # lost thereby gets its JID again, and throws out what the server may still have of the lost one.
      def page
        @request.GET["page"].to_s
      end

      def instrumented(payload, &)
        return yield(payload) unless defined?(ActiveSupport::Notifications)

        ActiveSupport::Notifications.instrument("prebind.session", payload, &)
      end
    end
  end
end
