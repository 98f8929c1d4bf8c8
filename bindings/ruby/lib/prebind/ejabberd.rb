# frozen_string_literal: true

module Prebind
  # Who makes an account for each user who logs in with a token and has none.
  class Accounts
    # @param jid [String] an administrator of the chat server, such as `svc@example.org`
    # @param password [String]
    # @param url [String, nil] ejabberd's HTTP API, such as `https://chat.example.org:5443/api`; nil for a server with
    #   XEP-0133, such as Prosody with `admin_adhoc`
    # @param group [String, nil] the shared roster group that each user joins (ejabberd)
    def initialize(jid:, password:, url: nil, group: nil)
      @fields = { jid:, password:, url:, group: }.freeze
      freeze
    end

    # @return [Hash{Symbol => Object}]
    def to_h
      @fields
    end

    # @return [String] without the password
    def inspect
      "#<#{self.class} #{@fields[:jid]}>"
    end
  end

  # ejabberd's HTTP API, which issues a token for each user. The library keeps it and asks for another one before it
  # expires.
  class XOAuth2Issuer
    # @param url [String] for example `https://chat.example.org:5443/api`
    # @param jid [String] the account that may ask for tokens, and with that an administrator
    # @param password [String]
    # @param lifetime [Numeric, nil] for how many seconds a token is valid; 3600 by default
    def initialize(url:, jid:, password:, lifetime: nil)
      @fields = { url:, jid:, password:, lifetime: }.freeze
      freeze
    end

    # @return [Hash{Symbol => Object}]
    def to_h
      @fields
    end

    # @return [String] without the password
    def inspect
      "#<#{self.class} #{@fields[:url]} #{@fields[:jid]}>"
    end
  end
end
