# frozen_string_literal: true

module Prebind
  module Web
    # What the chat server asks the site, as a Rack app: whether a token is good, and whether a user exists. What is
    # asked, who may ask and what is answered, the core decides: bindings/web/README.md has the rules.
    class ChatLogin
      # Where it is in {App}.
      PATH = %r{\A/chat-login(/\w+)?\z}

      # The answer to the chat server.
      def self.call(env, config = Prebind.config)
        status, headers, body = new(Endpoint.request_of(env), config).call
        [status, headers.transform_keys(&:downcase), [body]]
      end

      # @param request [Rack::Request]
      # @param config [Configuration]
      def initialize(request, config)
        @request = request
        @config = config
      end

      # @return [Array(Integer, Hash, String)] status, headers and body
      def call
        return [404, { "Content-Type" => "text/plain" }, "not found\n"] unless @config.site_secret

        asked = Native::WebAsked.new(settings, given, Guard.headers_of(@request, Native::WebAsked::HEADERS), Time.now.to_i)
        answer(asked, found_out(asked))
      rescue *FAILURES => e
        Prebind.logger&.error("prebind") do
          "the chat server gets no answer: #{e.is_a?(Prebind::Error) ? e.message : Web.place_of(e)}"
        end
        asked ? asked.broken : Native.web_broken
      end

      private

      def settings
        { secret: @config.site_secret, addresses: @config.chat_server_addresses, jwt: @config.jwt.to_h }
      end

      def given
        body = @request.body&.read(Native::WebAsked::MAX_BODY + 1) if @request.post?
        [@request.request_method, @request.path_info, @request.query_string, @config.client_address.call(@request), body]
          .map { |value| Guard.text(value) }
      end

      # What is to be found out for the answer.
      def found_out(asked)
        case asked.next
        when "once" then @config.store.new?("whether a token was used before", *asked.entry)
        when "exists" then @config.user_exists?(*asked.user, @request)
        else asked.next == "accept"
        end
      end

      def answer(asked, is_yes)
        counter = asked.counter(is_yes)
        count = @config.store.count("how many questions were refused", *counter) if counter
        level, text = asked.complaint(is_yes, count)
        Prebind.logger&.public_send(level == "warning" ? :warn : :info, "prebind") { text } if text
        asked.answer(is_yes, count)
      end
    end
  end
end
