# frozen_string_literal: true

module Prebind
  # What views have.
  module ConverseHelper
    # The chat of the user who is logged in. For anybody else, and for a user without chat, what makes
    # sure that the chat of the one before does not come back. It belongs at the end of every page.
    #
    # It has the nonce of the page's Content-Security-Policy if there is one. If anything is wrong it
    # leaves nothing but a line in the log.
    def prebind_converse_tag
      user = Prebind.config.user_of(request)
      nonce = request.content_security_policy_nonce
      path = Engine.mounted_at(request.original_script_name)
      Web::Page.new(user, path:, nonce:, request:).to_html.html_safe
    rescue *Web::FAILURES => e
      Prebind.logger&.error("prebind") { "the page has no chat: #{Web.place_of(e)}" }
      "".html_safe
    end
  end
end
