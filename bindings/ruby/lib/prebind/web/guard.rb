# frozen_string_literal: true

require "rack"
require "uri"

module Prebind
  module Web
    # Who may open a session: a page of this site, and not too often.
    module Guard
      # What a page may call itself: nothing that means anything in a JID, in XML or in a log.
      PAGE = /\A[A-Za-z0-9-]{0,64}\z/

      class << self
        # Whether a page of this site asks.
        #
        # Browsers say so in `Sec-Fetch-Site`; over plain http, and older ones, in `Origin` or
        # `Referer`. Whoever says nothing is refused, for a foreign page can choose to.
        #
        # @param request [Rack::Request]
        def same_origin?(request)
          site = request.get_header("HTTP_SEC_FETCH_SITE")
          return site == "same-origin" if site

          # Rails' own request leaves out the port that a proxy names apart.
          ours?(Rack::Request.new(request.env), request.get_header("HTTP_ORIGIN") || request.get_header("HTTP_REFERER"))
        end

        # Counts a session of the user's; 0, or how many seconds they have to wait until the next. A cache
        # that is out of order does not count.
        def seconds_to_wait(user, config)
          count, seconds = config.rate_limit
          return 0 unless count && config.cache

          window, elapsed = Process.clock_gettime(Process::CLOCK_REALTIME, :second).divmod(seconds)
          key = "prebind/#{user.class}/#{key_of(user)}/#{window}"
          config.cache.write(key, 0, expires_in: seconds, unless_exist: true, raw: true)
          # Nil if it has thrown the entry out in between.
          opened = config.cache.increment(key) || 1
          opened > count ? seconds - elapsed : 0
        rescue StandardError => e
          Prebind.logger&.warn("prebind") { "the cache does not count sessions: #{Web.place_of(e)}" }
          0
        end

        # The user's key, for the log and the cache.
        def key_of(user)
          user.respond_to?(:id) ? user.id : user.to_s
        end

        private

        def ours?(request, address)
          source = URI(address.to_s)
          source.host && !source.userinfo && source.scheme == request.scheme &&
            source.host.casecmp?(request.host) && port?(request, source.port)
        rescue URI::InvalidURIError
          false
        end

        # Some proxies pass on the host without the port; cookies, which are what is protected here, know
        # no ports either.
        def port?(request, port)
          return port == request.port if names_port?(request)

          request.has_header?("HTTP_X_FORWARDED_FOR") || [request.port, request.server_port.to_i].include?(port)
        end

        def names_port?(request)
          request.authority.match?(/:\d+\z/) || request.get_header("HTTP_X_FORWARDED_PORT")
        end
      end
    end
  end
end
