# frozen_string_literal: true

require "digest"

module Prebind
  module Web
    # What was learned of the chat server, kept in the cache: the first call of the next process is as
    # short as the last one of this.
    class Memory
      # @param config [Configuration]
      def initialize(config)
        @config = config
      end

      # What an earlier client learned, for the option `profile` of {Client}.
      #
      # @return [String, nil]
      def recall
        kept = @config.store.ask("what was learned of the chat server") { |cache| cache.read(key) }
        # Who gives it as binary has it all the same.
        kept = kept.dup.force_encoding(Encoding::UTF_8) if kept.is_a?(String)
        @kept = kept if kept.is_a?(String) && kept.valid_encoding?
      end

      # Writes what the client learned, if that is new.
      #
      # @param client [Client]
      # @return [void]
      def keep(client)
        profile = client.profile
        return if profile == @kept

        @kept = profile
        @config.store.ask("to keep what was learned of the chat server") do |cache|
          cache.write(key, profile, expires_in: nil)
        end
      end

      # Whether the cache has what the client learned, after it was given that.
      #
      # @param client [Client]
      # @return [Boolean]
      def kept?(client)
        keep(client)
        recall == client.profile
      end

      private

      # Some caches allow neither long keys nor every character.
      def key
        "prebind/profile/#{Digest::SHA256.hexdigest(@config.url)[0, 24]}"
      end
    end
  end
end
