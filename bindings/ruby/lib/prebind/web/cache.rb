# frozen_string_literal: true

module Prebind
  module Web
    # The site's cache, which may be away: then there is a chat all the same. When it is asked, the core decides:
    # bindings/web/README.md has the rule.
    class Cache
      # @param config [Configuration]
      def initialize(config)
        @config = config
        @known = Native::WebCache.new
      end

      # What the cache answers; nil if there is none, or it is away. The log then has the question.
      #
      # @param question [String]
      # @yieldparam store [ActiveSupport::Cache::Store]
      def ask(question)
        start = now
        return unless @config.cache && @known.asked?(start)

        begin
          answer = yield @config.cache
        rescue *FAILURES => e
          failure = Web.place_of(e)
        end
        complaint = @known.answered(start, now, question, failure)
        Prebind.logger&.warn("prebind") { complaint } if complaint
        answer
      end

      # Counts one more.
      #
      # @param question [String] what the log says if the cache is away
      # @param key [String] with the window of time in it
      # @param seconds [Integer] how long the window is
      # @return [Integer, nil] how many there are; nil if the cache is away, or has dropped the entry meanwhile
      def count(question, key, seconds)
        ask(question) do |cache|
          cache.write(key, 0, expires_in: seconds, unless_exist: true, raw: true)
          cache.increment(key)
        end
      end

      # Whether nobody has added this key before, which is added; true if the cache is away.
      #
      # @param question [String] what the log says if the cache is away
      def new?(question, key, seconds)
        is_new = ask(question) do |cache|
          # A cache that hides its failures says no to both.
          cache.write(key, 1, expires_in: seconds, unless_exist: true, raw: true) || !cache.exist?(key)
        end
        is_new != false
      end

      private

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond)
      end
    end
  end
end
