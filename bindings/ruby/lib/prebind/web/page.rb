# frozen_string_literal: true

require "json"

module Prebind
  module Web
    # The chat of the user who is logged in, as a page has it. For everyone else, and for a user without
    # chat, what makes sure that the chat of the user before does not come back.
    class Page
      # @param user what `current_user` gave
      # @param path [String] where {App} or {Engine} is
      # @param nonce [String, nil] that of the page's Content-Security-Policy
      # @param request [Rack::Request, nil] what the page answers: for {Configuration#tenant},
      #   {Configuration#impersonated} and a {Configuration#user_jid} that takes it
      # @param config [Configuration]
      def initialize(user, path:, nonce: nil, request: nil, config: Prebind.config)
        @user = user
        @path = path.chomp("/")
        @nonce = nonce
        @request = request
        @config = config
      end

      # Elements without a line of script in them: data, and what is loaded by its address. If something is
      # wrong, they are those of a user without chat, and one line in the log says why.
      #
      # @return [String] HTML
      def to_html
        config = @config.for(@request)
        jid = @user && config.jid_of(@user, @request)
        html(jid.to_s, config.browser_url.to_s, config.assets.to_s, JSON.generate(config.converse))
      rescue *FAILURES => e
        Prebind.logger&.error("prebind") do
          "the page has no chat: #{e.is_a?(Prebind::Error) ? e.message : Web.place_of(e)}"
        end
        html("", "", "", "")
      end

      private

      def html(jid, bosh_url, assets, settings)
        script = "#{@path}/chat.js?#{Script::VERSION}"
        Native.web_page([jid, @path, bosh_url, script, assets, @nonce.to_s, settings])
      end
    end
  end
end
