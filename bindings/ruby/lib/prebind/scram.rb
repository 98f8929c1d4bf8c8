# frozen_string_literal: true

module Prebind
  # What a SCRAM store keeps (RFC 5802 §3); instead of the password. Salt and keys are bytes.
  class ScramKeys
    # The keys of a password, and the stored key, which the server keeps instead of them.
    #
    # @param password [String]
    # @param hash [String] `SHA-1`, `SHA-256` or `SHA-512`
    # @param iterations [Integer] the count that the server has for the account
    # @param salt [String, nil] the server's salt; without one a new salt is drawn, for an account whose keys you write
    #   into the server's store. It is text.
    # @return [Array(ScramKeys, String)]
    # @raise [ConfigError] if a value cannot be used
    def self.derive(password:, hash:, iterations:, salt: nil)
      keys = Native.scram_keys({ password:, hash:, iterations:, salt: }.compact)
      stored_key = keys.delete(:stored_key)
      [new(**keys), stored_key]
    end

    # @param hash [String] `SHA-1`, `SHA-256` or `SHA-512`
    # @param salt [String]
    # @param iterations [Integer]
    # @param client_key [String] what logs in: keep it like a password
    # @param server_key [String]
    def initialize(hash:, salt:, iterations:, client_key:, server_key:)
      @fields = { hash:, salt:, iterations:, client_key:, server_key: }.freeze
      freeze
    end

    # @return [Hash{Symbol => Object}]
    def to_h
      @fields
    end

    # @return [String] without salt and keys
    def inspect
      "#<#{self.class} #{@fields[:hash]}>"
    end
  end

  # The salted password of a SCRAM store (RFC 5802 §3); instead of the password. Salt and salted
  # password are bytes.
  class ScramSaltedPassword
    # @param hash [String] `SHA-1`, `SHA-256` or `SHA-512`
    # @param salt [String]
    # @param iterations [Integer]
    # @param salted_password [String]
    def initialize(hash:, salt:, iterations:, salted_password:)
      @fields = { hash:, salt:, iterations:, salted_password: }.freeze
      freeze
    end

    # @return [Hash{Symbol => Object}]
    def to_h
      @fields
    end

    # @return [String] without salt and salted password
    def inspect
      "#<#{self.class} #{@fields[:hash]}>"
    end
  end
end
