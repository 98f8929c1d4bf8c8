# frozen_string_literal: true

module Prebind
  # A chat server's side of a key.
  class ServerSide
    # @return [String] where to put the file, so that only the server may read it
    attr_reader :path
    # @return [String] what the file holds: the secret of an HMAC key, or a public key
    attr_reader :file
    # @return [String] the lines of configuration, with comments
    attr_reader :configuration
    # @return [String] the command that has the server read both, where it is running
    attr_reader :reload
    # @return [String] all of it, as an operator is told
    attr_reader :instructions

    def initialize(path:, file:, configuration:, reload:, instructions:)
      @path = path
      @file = file
      @configuration = configuration
      @reload = reload
      @instructions = instructions
      freeze
    end

    # @return [String] without the key
    def inspect
      "#<#{self.class} #{path}>"
    end
  end

  # What signs a JSON Web Token for each call, so that the site knows no chat passwords.
  class Jwt
    # A new key as a private JWK. Anyone who has it can log in as anybody, so keep it like the site's own secret.
    #
    # @param algorithm [String, Symbol, nil] `HS256`, `HS384`, `HS512`, `ES256` or `EdDSA`; `HS256` by default
    # @param id [String, nil] its name in tokens (`kid`); random by default
    # @return [String]
    # @raise [ConfigError] if a value cannot be used
    def self.new_key(algorithm: nil, id: nil)
      Native.new_key(algorithm&.to_s, id)
    end

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

    # What ejabberd needs to verify the tokens of the newest key.
    #
    # @param domain [String] that of the chat accounts
    # @return [ServerSide]
    # @raise [ConfigError] if the key or the domain cannot be used
    def for_ejabberd(domain)
      ServerSide.new(**Native.server_side("ejabberd", domain, to_h))
    end

    # What Prosody with the module `mod_auth_prebind` needs to verify the tokens of the newest key.
    #
    # @param domain [String] that of the chat accounts
    # @return [ServerSide]
    # @raise [ConfigError] if the key or the domain cannot be used
    def for_prosody(domain)
      ServerSide.new(**Native.server_side("prosody", domain, to_h))
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
