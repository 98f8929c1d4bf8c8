# frozen_string_literal: true

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

          origin_of(request.get_header("HTTP_ORIGIN") || request.get_header("HTTP_REFERER")) ==
            origin_of(request.base_url)
        end

        # Counts a session of the user's; 0, or how many seconds they have to wait until the next.
        def seconds_to_wait(user, config)
          count, seconds = config.rate_limit
          return 0 unless count && config.cache

          window, elapsed = Process.clock_gettime(Process::CLOCK_REALTIME, :second).divmod(seconds)
          key = "prebind/#{key_of(user)}/#{window}"
          config.cache.write(key, 0, expires_in: seconds, unless_exist: true, raw: true)
          # A cache that has thrown the entry out in between does not count.
          opened = config.cache.increment(key) || 1
          opened > count ? seconds - elapsed : 0
        end

        # The user's key, for the log and the cache.
        def key_of(user)
          user.respond_to?(:id) ? user.id : user.to_s
        end

        private

        def origin_of(address)
          uri = URI(address.to_s)
          [uri.scheme, uri.host, uri.port] if uri.host && !uri.userinfo
        rescue URI::InvalidURIError
          nil
        end
      end
    end
  end
end
