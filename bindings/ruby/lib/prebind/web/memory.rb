# frozen_string_literal: true

require "digest"

module Prebind
  module Web
    # What was learned of the chat server, kept in the cache: the first call of the next process is as
    # short as the last one of this. A cache that is out of order is as good as none.
    class Memory
      # @param config [Configuration]
      def initialize(config)
        @config = config
      end

      # What an earlier client learned, for the option `profile` of {Client}.
      #
      # @return [String, nil]
      def recall
        kept = tried("tell") { |cache| cache.read(key) }
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

        # Even if it fails: the next login is not to wait for the cache again.
        @kept = profile
        tried("keep") { |cache| cache.write(key, profile, expires_in: nil) }
      end

      private

      # Some caches allow neither long keys nor every character.
      def key
        "prebind/profile/#{Digest::SHA256.hexdigest(@config.url)[0, 24]}"
      end

      def tried(verb)
        yield @config.cache if @config.cache
      rescue StandardError => e
        Prebind.logger&.warn("prebind") do
          "the cache does not #{verb} what was learned of the chat server: #{Prebind::Web.place_of(e)}"
        end
        nil
      end
    end
  end
end
