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
    SEVERITIES = { "TRACE" => TRACE, "DEBUG" => 0, "INFO" => 1, "WARN" => 2, "ERROR" => 3, "FATAL" => 4 }.freeze

    class << self
      # The least level that has a reader; nil if none has.
      def wanted
        logger = Prebind.logger if Ractor.current == Ractor.main
        logger && SEVERITIES.key(SEVERITIES.values.find { |severity| severity >= severity_of(logger.level) })
      end

      # Logs an event of the native part.
      def write(target, level, message)
        logger = Prebind.logger or return
        # It has no number for requests and answers, but a method for each level.
        return logger.public_send(level.downcase, message) unless logger.level.is_a?(Integer)

        logger.add(SEVERITIES.fetch(level), message, target == "prebind::wire" ? "prebind.wire" : "prebind")
      end

      private

      # Some loggers, SemanticLogger among them, have names for their levels.
      def severity_of(level)
        level.is_a?(Integer) ? level : SEVERITIES.fetch(level.to_s.upcase, SEVERITIES["INFO"])
      end
    end
  end
  private_constant :Log
end
