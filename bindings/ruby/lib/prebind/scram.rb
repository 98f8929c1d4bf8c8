# frozen_string_literal: true

module Prebind
  # What a SCRAM store keeps (RFC 5802 §3); instead of the password. Salt and keys are bytes.
  class ScramKeys
    # @param hash [String] `SHA-1`, `SHA-256` or `SHA-512`
    # @param salt [String]
    # @param iterations [Integer]
    # @param client_key [String]
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
