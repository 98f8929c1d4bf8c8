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
          headers = headers_of(request, Native::WebRequest::HEADERS)
          Native::WebRequest.new(
            text(request.request_method), text(request.scheme), text(host_of(request)),
            Integer(request.get_header("SERVER_PORT").to_s, exception: false),
            headers, text(request.query_string)
          )
        end

        # Those of these headers that the request has.
        #
        # @param request [Rack::Request]
        # @param names [Array<String>]
        # @return [Hash{String => String}]
        def headers_of(request, names)
          headers = names.to_h { |name| [name, request.get_header("HTTP_#{name.upcase.tr('-', '_')}")] }
          headers.compact.transform_values { |value| text(value) }
        end

        # As UTF-8. What is none is nothing that is allowed.
        #
        # @param value [#to_s, nil]
        # @return [String]
        def text(value)
          value.to_s.dup.force_encoding(Encoding::UTF_8).scrub
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
          opened = config.store.count("how many sessions a user opened", key, seconds)
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
      end
    end
  end
end
