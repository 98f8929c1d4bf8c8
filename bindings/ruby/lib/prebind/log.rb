# frozen_string_literal: true

# :nodoc:
module Prebind
  # The severity of requests and answers, below `Logger::DEBUG`: a logger with this level shows them.
  TRACE = -1

  class << self
    # Where opened sessions (`INFO`), failures (`WARN`), each answer's status and time (`DEBUG`), and
    # requests and answers ({TRACE}) are logged. What is secret in them is masked. In the main Ractor
    # only. What the logger raises ends the call.
    #
    # @return [Logger, nil] nothing is logged without one
    attr_accessor :logger
  end

  # Where the native part's events go.
  #
  # @api private
  module Log
    # By the names that the native part has for them.
    SEVERITIES = { "TRACE" => TRACE, "DEBUG" => 0, "INFO" => 1, "WARN" => 2, "ERROR" => 3 }.freeze

    class << self
      # The least level that has a reader; nil if none has.
      def wanted
        logger = Prebind.logger if Ractor.current == Ractor.main
        logger && SEVERITIES.key(SEVERITIES.values.find { |severity| severity >= logger.level })
      end

      # Logs an event of the native part.
      def write(target, level, message)
        Prebind.logger&.add(SEVERITIES.fetch(level), message, target == "prebind::wire" ? "prebind.wire" : "prebind")
      end
    end
  end
  private_constant :Log
end
