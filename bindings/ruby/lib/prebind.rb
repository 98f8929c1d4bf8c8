# frozen_string_literal: true

require "prebind/errors"
require "prebind/session"
require "prebind/ejabberd"
require "prebind/jwt"
require "prebind/scram"
require "prebind/log"
require "prebind/native"
require "prebind/client"
require "prebind/version"
require "prebind/engine" if defined?(Rails::Engine)

# Opens an authenticated XMPP session over BOSH on behalf of a user that a web site has logged in.
#
# @example
#   session = Prebind.prebind("https://chat.example.org/http-bind", "alice@example.org", password: "secret")
#   session.to_json # {"jid":…,"sid":…,"rid":…}: what a browser client attaches with
module Prebind
  # URLs come from settings and are few; a caller that makes them up must not fill the memory.
  MAX_CLIENTS = 64
  private_constant :MAX_CLIENTS

  class << self
    # Opens a session, on a client with the default options that the process keeps for the URL.
    #
    # @param url [String, #to_s] the BOSH endpoint
    # @param jid [String, #to_s] see {Client#prebind}
    # @param credentials see {Client#prebind}
    # @return [Session]
    # @raise [Error]
    def prebind(url, jid, password = nil, **credentials)
      client_for(url.to_s).prebind(jid, password, **credentials)
    end

    # The JID of a web site's user, whose name may hold characters that a JID must not have: they
    # are escaped (XEP-0106). JIDs ignore case: `Alice` and `alice` share one account. If your user names do
    # not, give an immutable id in place of the name.
    #
    # @param name [String] the user's name at the site
    # @param domain [String] what is behind the `@`
    # @return [String]
    # @raise [ConfigError] if the escaped name or the domain is not allowed, or if the name has full-width or
    #   decomposed characters, because it looks like another one
    def jid_from_user(name, domain)
      Native.jid_from_user(name, domain)
    end

    private

    # Each Ractor has its own, as it must not see what the others may change.
    def client_for(url)
      clients = (Ractor.current[:prebind_clients] ||= {})
      clients.shift if clients.size >= MAX_CLIENTS && !clients.key?(url)
      clients[url] ||= Client.new(url)
    end
  end
end
