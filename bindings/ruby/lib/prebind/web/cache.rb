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

      private

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond)
      end
    end
  end
end
