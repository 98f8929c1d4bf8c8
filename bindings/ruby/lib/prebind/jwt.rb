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
    def initialize(keys:, algorithm: nil, lifetime: nil, audience: nil, claims: nil)
      @fields = { keys:, algorithm:, lifetime:, audience:, claims: }.freeze
      freeze
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
