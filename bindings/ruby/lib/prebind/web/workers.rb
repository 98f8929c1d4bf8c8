# frozen_string_literal: true

module Prebind
  module Web
    # The workers of the site, which must not all wait for the chat server.
    module Workers
      # Not every server says how many threads a process has. At least so many, if it has more than one.
      OF_THREADS = 2
      # Fibers serve any number of requests. Half of this is how many threads of a process log in.
      OF_FIBERS = 32
      private_constant :OF_THREADS, :OF_FIBERS

      # How many requests this process serves at once, as far as the server tells.
      #
      # @param env [Hash] the Rack environment
      # @return [Integer]
      def self.of(env)
        return OF_FIBERS if Fiber.current_scheduler

        threads = env["puma.config"]&.options&.[](:max_threads)
        return Integer(threads) if threads

        env["rack.multithread"] == false ? 1 : OF_THREADS
      end
    end
  end
end
