# frozen_string_literal: true

require "json"
require "rack"

module Prebind
  module Web
    # A Rack app for sites that are not Rails: sessions at its root, and the page's script at
    # `/chat.js`. POST needs a CSRF token, which only a site of its own can look at.
    #
    # @example in a config.ru
    #   map("/prebind") { run Prebind::Web::App.new }
    class App
      # @param config [Configuration]
      # @param has_token [#call, nil] `request -> Boolean`: whether a POST has the site's CSRF token
      def initialize(config = Prebind.config, has_token: nil)
        @config = config
        @has_token = has_token
      end

      # (see Endpoint)
      def call(env)
        case env["PATH_INFO"]
        when "", "/" then session(Rack::Request.new(env))
        when "/chat.js" then Script.call(env)
        else [404, { "content-type" => "text/plain" }, ["not found\n"]]
        end
      end

      private

      def session(request)
        answer = Endpoint.new(request, @config) { @has_token&.call(request) }.call
        # In lower case, as Rack 3 wants them.
        headers = { **answer.headers, "Content-Type" => "application/json" }.transform_keys(&:downcase)
        [answer.status, headers, [JSON.generate(answer.content)]]
      end
    end
  end
end
