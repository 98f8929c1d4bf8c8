# frozen_string_literal: true

module Prebind
  module Web
    # Users who sign in by an identity provider with OmniAuth: passes the provider's access token on to the chat server.
    #
    # Do so only where the chat server checks the token's audience. The recommended way needs none of this: with a
    # {Jwt} the site signs a token itself for the user who is signed in.
    module OmniAuth
      # What the session keeps it under.
      KEY = "prebind.provider"
      private_constant :KEY

      # Keeps the access token in the session. To be called where OmniAuth calls the site back, once the session is
      # the user's.
      #
      # @param request [Rack::Request]
      # @return [void]
      def self.keep(request)
        given = request.env.fetch("omniauth.auth").fetch("credentials")
        # OpenID Connect says how long, OAuth 2 until when.
        expires_at = given["expires_at"] || (Time.now.to_i + given["expires_in"] if given["expires_in"])
        request.session[KEY] = { "token" => given["token"], "expires_at" => expires_at }
      end

      # The access token, for {Configuration#credentials}. OmniAuth does not refresh tokens.
      #
      # @param request [Rack::Request]
      # @return [String]
      # @raise [SignInAgain] if there is none, or it has expired, or nobody knows until when it is good
      def self.token(request)
        token, expires_at = (request.session[KEY] || {}).values_at("token", "expires_at")
        raise SignInAgain unless token && expires_at && expires_at > Time.now.to_i

        token
      end
    end
  end
end
