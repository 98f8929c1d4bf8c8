# frozen_string_literal: true

module Prebind
  # Why there is no session: one class for each kind, all under this one.
  #
  # The message names the cause and the remedy in one sentence. Neither it nor any attribute holds a
  # password, a token, a SID or a RID.
  class Error < StandardError
    # @return [String] where in the exchange: `configure` (nothing was sent), `create`, `features`,
    #   `authenticate`, `restart`, `bind`, `session` or `terminate`
    attr_reader :stage
    # @return [String, nil] the condition that the server named, for example `not-authorized`
    attr_reader :condition
    # @return [String, nil] the server's own words, at most 200 characters, without control characters
    attr_reader :text
    # @return [String] what may be done next: `no`, `after-config-change`, `fresh-session` (at once)
    #   or `later`
    attr_reader :retry
    # @return [Integer, nil] how many seconds to wait before the next call: as the server asks
    #   (`Retry-After`), or until calls that hold this one up have ended
    attr_reader :retry_after

    # @return [String] the name of the kind, the same in every language: the class's without `Error`
    def self.kind
      name.delete_prefix("Prebind::").delete_suffix("Error")
    end

    # @param message [String, nil]
    # @param details what the class has attributes for
    def initialize(message = nil, **details)
      super(message)
      { stage: "configure", condition: nil, text: nil, retry: "no", retry_after: nil, **details }.each do |name, value|
        raise ArgumentError, "unknown keyword: :#{name}" unless respond_to?(name)

        instance_variable_set(:"@#{name}", value.freeze)
      end
    end

    # (see .kind)
    def kind
      self.class.kind
    end

    # @return [Boolean] whether the same call may succeed, at once or later, with nothing changed
    def retry?
      %w[fresh-session later].include?(self.retry)
    end
  end

  # A bad URL, JID, credential or option; nothing was sent.
  class ConfigError < Error
    # @return [String] the option or argument that is wrong
    attr_reader :field
  end

  # No connection: name lookup, TCP, TLS, proxy; or it broke.
  class ConnectError < Error
    # @return [String] what the connection was doing: `dns`, `tcp`, `tls`, `headers` or `body`
    attr_reader :phase
  end

  # The time was over, or calls fail at once after repeated failures to connect.
  class TimeoutError < Error
    # @return [String] what was being waited for: `dns`, `tcp`, `tls`, `headers`, `body`, `derive`; or `queue`, `fail-fast`
    attr_reader :phase
  end

  # The answer is not BOSH: another status, a web page, a redirect.
  class HttpError < Error
    # @return [Integer] the HTTP status
    attr_reader :status
    # @return [String, nil] where a redirect leads: scheme, host and path; redirects are never followed
    attr_reader :location
  end

  # The answer is not XML, or not what XEP-0124 and XEP-0206 say.
  class ProtocolError < Error
    # @return [String] what should have come
    attr_reader :expected
  end

  # The server ended the session; see {#condition}.
  class TerminatedError < Error
  end

  # No SASL mechanism that both sides accept.
  class MechanismError < Error
    # @return [Array<String>] what the server offers
    attr_reader :offered
    # @return [Array<String>] what credentials and options allow
    attr_reader :allowed
  end

  # The server refused the login; see {#condition}.
  class AuthError < Error
  end

  # The server did not prove that it knows the account's secret, or was tampered with.
  class ServerUnverifiedError < Error
    # @return [String] which check failed: `nonce`, `salt`, `iterations`, `signature`, `downgrade`, `message`
    attr_reader :check
  end

  # The server refused to bind a resource, or bound a JID of somebody else.
  class BindError < Error
  end

  # A defect of this library.
  class InternalError < Error
  end
end
