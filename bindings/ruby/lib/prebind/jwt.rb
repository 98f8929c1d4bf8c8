# frozen_string_literal: true

module Prebind
  # What signs a JSON Web Token for each call, so that the site knows no chat passwords.
  class Jwt
    # @param keys [String, Array<String>] a JWK, PEM, or with `algorithm` the secret itself; several keys while they
    #   rotate, the newest first
    # @param algorithm [String, Symbol, nil] `HS256`, `HS384` or `HS512`, if a key is the secret itself
    # @param lifetime [Numeric, nil] for how many seconds a token is valid; 60 by default
    # @param audience [String, nil] whom the tokens are for (`aud`)
    # @param claims [Hash, nil] further claims; `jid`, `sub`, `iat`, `nbf` and `exp` are there already
    # @param once [Boolean, nil] whether each token has an ID of its own (`jti`), by which a site that verifies its
    #   tokens itself knows that one was used; false by default
    def initialize(keys:, algorithm: nil, lifetime: nil, audience: nil, claims: nil, once: nil)
      @fields = { keys:, algorithm:, lifetime:, audience:, claims:, once: }.freeze
      freeze
    end

    # A token for an account, for a client that logs in by itself, such as a page that opens a WebSocket. Anyone
    # holding it can log in as that user until it expires.
    #
    # @param jid [String, #to_s]
    # @return [String]
    # @raise [ConfigError] if a key or another value cannot be used
    def issue(jid)
      Native.issue(jid.to_s, to_h)
    end

    # Why this token of the account is refused, for example `Expired`: what to answer where the chat server has your
    # site verify tokens. The keys may be public ones here; `lifetime`, `claims` and `once` are ignored.
    #
    # @param jid [String, #to_s]
    # @param token [String]
    # @return [String, nil] nil if the token is valid
    # @raise [ConfigError] if a key cannot be used
    def refusal(jid, token)
      Native.refusal(token, jid.to_s, to_h, Time.now.to_i)
    end

    # @return [Hash{Symbol => Object}]
    def to_h
      @fields
    end

    # @return [String] without the keys
    def inspect
      "#<#{self.class}>"
    end
  end
end
