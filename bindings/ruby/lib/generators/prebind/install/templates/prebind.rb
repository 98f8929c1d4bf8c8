# frozen_string_literal: true

Prebind.configure do |config|
  # The chat server's BOSH endpoint, and what is behind the @ of the JIDs.
  config.url = "https://chat.example.org/http-bind"
  config.domain = "example.org"

  # Who is logged in: nil for nobody. This is Devise's user; with a plain session it is
  # ->(request) { User.find_by(id: request.session[:user_id]) }
  config.current_user = ->(request) { request.env["warden"]&.user }

  # The user's JID, nil for a user without chat.
  config.user_jid = ->(user) { Prebind.jid_from_user(user.username, config.domain) }

  # What proves to the chat server who the user is: keyword arguments of Prebind::Client#prebind.
  config.credentials = ->(user, _jid) { { password: user.xmpp_password } }

  # For `rails prebind:try[alice]`.
  config.find_user = ->(name) { User.find_by(username: name) }

  # Where Converse.js's `dist` is.
  # config.assets = "/converse/"
end
