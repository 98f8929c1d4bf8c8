# frozen_string_literal: true

require "digest"
require "rack"

module Prebind
  module Web
    # What the core's rules need to know of a request, and how often a user may ask.
    module Guard
      class << self
        # The request as the core takes it.
        #
        # @param request [Rack::Request]
        # @return [Native::WebRequest]
        def asked(request)
          # Rails' own request leaves out the port that a proxy names apart.
          request = Rack::Request.new(request.env)
          headers = Native::WebRequest::HEADERS.to_h do |name|
            [name, request.get_header("HTTP_#{name.upcase.tr('-', '_')}")]
          end
          Native::WebRequest.new(
            text(request.request_method), text(request.scheme), text(host_of(request)),
            Integer(request.get_header("SERVER_PORT").to_s, exception: false),
            headers.compact.transform_values { |value| text(value) }, text(request.query_string)
          )
        end

        # Counts a session of the user's; 0, or how many seconds they have to wait until the next. If the
        # cache is away, nothing is counted: the login is more important than its limit.
        #
        # By the JID, since tenants may each have a user of this number.
        def seconds_to_wait(jid, config)
          count, seconds = config.rate_limit
          return 0 unless count

          window, elapsed = Process.clock_gettime(Process::CLOCK_REALTIME, :second).divmod(seconds)
          key = "prebind/#{Digest::SHA256.hexdigest(jid.to_s)[0, 24]}/#{window}"
          opened = config.store.ask("how many sessions a user opened") do |cache|
            cache.write(key, 0, expires_in: seconds, unless_exist: true, raw: true)
            cache.increment(key)
          end
          # Nil if it is away, or has dropped the entry meanwhile.
          (opened || 0) > count ? seconds - elapsed : 0
        end

        # The user's key, for the log and the cache.
        def key_of(user)
          user.respond_to?(:id) ? user.id : user.to_s
        end

        private

        # With the port, if Rack was told one.
        def host_of(request)
          authority = request.authority.to_s
          return authority if authority.match?(/:\d+\z/) || !request.has_header?("HTTP_X_FORWARDED_PORT")

          "#{authority}:#{request.port}"
        end

        # What is not UTF-8 is nothing that is allowed.
        def text(value)
          value.to_s.dup.force_encoding(Encoding::UTF_8).scrub
        end
      end
    end
  end
end
