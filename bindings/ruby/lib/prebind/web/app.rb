# frozen_string_literal: true

module Prebind
  module Web
    # A Rack app for sites that are not Rails: sessions at its root, the page's script at `/chat.js`, and what the chat
    # server asks at `/chat-login`.
    #
    # @example in a config.ru
    #   map("/prebind") { run Prebind::Web::App.new }
    class App
      # @param config [Configuration]
      def initialize(config = Prebind.config)
        @config = config
      end

      # (see Endpoint)
      def call(env)
        case env["PATH_INFO"]
        when "", "/" then Endpoint.call(env, @config)
        when "/chat.js" then Script.call(env)
        when ChatLogin::PATH then ChatLogin.call(env, @config)
        else [404, { "content-type" => "text/plain" }, ["not found\n"]]
        end
      end
    end
  end
end
