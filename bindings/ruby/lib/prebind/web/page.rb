# frozen_string_literal: true

require "cgi/escape"
require "json"

module Prebind
  module Web
    # The chat of the user who is logged in, as a page has it. For anybody else, and for a user without
    # chat, what makes sure that the chat of the one before does not come back.
    class Page
      # What would end the element, or mean something in a script.
      ESCAPED = { "<" => '\u003c', ">" => '\u003e', "&" => '\u0026', "\u2028" => '\u2028', "\u2029" => '\u2029' }.freeze
      private_constant :ESCAPED

      # @param user what `current_user` gave
      # @param path [String] where {App} or {Engine} is
      # @param nonce [String, nil] that of the page's Content-Security-Policy
      # @param config [Configuration]
      def initialize(user, path:, nonce: nil, config: Prebind.config)
        @user = user
        @path = path.chomp("/")
        @nonce = nonce
        @config = config
      end

      # What `converse.initialize` is to be called with; nil for nobody and for no chat.
      #
      # @return [Hash, nil]
      def settings
        jid = @config.user_jid.call(@user) if @user
        jid && {
          view_mode: "overlayed",
          **@config.converse.transform_keys(&:to_sym),
          # No `websocket_url`: Converse would prefer it, and there is nothing to attach to there.
          authentication: "prebind",
          prebind_url: @path,
          bosh_service_url: @config.browser_url,
          # The user's own: otherwise Converse takes up the session of whoever was here before.
          jid:, auto_login: true, keepalive: true,
          assets_path: @config.assets
        }
      end

      # Elements without a line of script in them: data, and what is loaded by its address.
      #
      # @return [String] HTML
      def to_html
        given = settings
        [
          # Converse looks for its own element to find its files.
          (element("link", "", rel: "stylesheet", href: "#{@config.assets}converse.min.css") if given),
          (script("#{@config.assets}converse.min.js") if given),
          element("script", JSON.generate(given).gsub(/[<>&\u2028\u2029]/, ESCAPED),
                  id: "prebind-converse", type: "application/json", nonce: nil),
          script("#{@path}/chat.js?#{Script::VERSION}")
        ].compact.join("\n")
      end

      private

      def script(address)
        element("script", "", type: "module", src: address)
      end

      def element(name, content, **attributes)
        attributes = { **attributes, nonce: @nonce } unless attributes.key?(:nonce)
        given = attributes.compact.map { |key, value| %( #{key}="#{CGI.escapeHTML(value)}") }.join
        name == "link" ? "<link#{given}>" : "<#{name}#{given}>#{content}</#{name}>"
      end
    end
  end
end
