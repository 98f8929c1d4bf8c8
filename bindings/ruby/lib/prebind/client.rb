# frozen_string_literal: true

module Prebind
  # One chat service: its address, its trust, its deadlines and the connections to it. Frozen, and
  # shareable between Ractors.
  #
  # Make one for the life of the process, before a fork or after it, and share it between threads.
  # Nothing is sent until it is used.
  class Client
    # The tags `@option` are generated from the core's options by
    # `PREBIND_UPDATE_DOCS=1 cargo test -p prebind --lib`.

    # The options that are not given have the library's defaults. Times are numbers of seconds;
    # certificates and keys are PEM itself, not the path of a file.
    #
    # @param url [String, #to_s] the BOSH endpoint
    # @option options [String, nil] :lang (`"en"`) the language of the server's messages (`xml:lang` of the session);
    #   nil for none
    # @option options [Integer] :wait (55) how many seconds the server may hold a request; this also applies to the
    #   browser, and many proxies cut requests held longer than 60 s
    # @option options [Integer] :hold (1) how many requests the server may hold; browser clients expect 1
    # @option options [String, nil] :route where a separate connection manager finds the XMPP server, for example
    #   `xmpp:example.org:9999`
    # @option options [String, nil] :resource the resource to ask for if the JID has none; without it the server makes a
    #   new one each time, so that tabs do not throw each other out
    # @option options [String, Symbol] :weakest_mechanism (`"PLAIN"`) the weakest mechanism a password may be used with:
    #   `PLAIN`, `DIGEST-MD5`, `SCRAM-SHA-1`, `SCRAM-SHA-256` or `SCRAM-SHA-512`
    # @option options [Boolean] :digest_md5 (false) whether to use the obsolete DIGEST-MD5 with a server that has no
    #   SCRAM
    # @option options [Boolean] :allow_cleartext (false) whether to send a password or token over plain http to another
    #   machine
    # @option options [Boolean] :fast_tokens (false) whether to log in by SASL2, where the server offers it, and to ask
    #   for a token that replaces the password in later calls, {Session#fast_token} (FAST, XEP-0484; Prosody has it from
    #   version 13 on)
    # @option options [Range<Integer>, Array(Integer, Integer)] :iterations (4096..600_000) the fewest and the most
    #   SCRAM iterations a server may ask for
    # @option options [Integer] :scram_cache (1000) how many users' SCRAM keys, but not passwords, to cache from a login
    #   that succeeds until one with them fails, so that they need not be derived at each login; 0 caches none
    # @option options [Accounts, nil] :accounts who makes an account on the chat server for each user who logs in with a
    #   token and has none: the JID and password of an administrator, and for ejabberd the `url` of its HTTP API; with a
    #   `group`, each user joins that shared roster group
    # @option options [Hash{String => String}] :headers HTTP headers to add to every request
    # @option options [String, nil] :ca CA certificates to trust instead of the operating system's
    # @option options [Array(String, String), nil] :client_certificate the client certificate to present to the server,
    #   with those that lead to its authority, and its private key
    # @option options [String, nil] :proxy the `http://`, `https://` or `socks5://` address of a proxy; environment
    #   variables are ignored
    # @option options [String, Symbol] :ip_family (`"any"`) which addresses of the host to use: `any`, `ipv4` or `ipv6`
    # @option options [Numeric] :deadline (5) how long a call may take in all, including ending the session after a
    #   failure
    # @option options [Numeric] :resolve_timeout (2) how long a name lookup may take
    # @option options [Numeric] :connect_timeout (2) how long TCP and TLS may take to connect
    # @option options [Numeric] :request_timeout (5) how long one request may take
    # @option options [Integer] :max_calls (32) how many calls may open a session at once in each process; a call beyond
    #   that waits for up to half of its `deadline`, then fails
    # @option options [Integer] :workers (0) how many requests this process of a web site serves at once, 1 for a sync
    #   worker of gunicorn or 5 for a process of Puma with five threads; the processes with the same parent then open
    #   sessions with no more than half of their workers, beyond which a call fails at once, and share what they know of
    #   a server that is away; 0 if this is no web site
    # @option options [Integer] :max_host_calls (0) how many calls may open a session at once on this machine, in all
    #   processes of this user that set this or `workers` for this URL, instead of half of the workers; 0 for half of
    #   the workers
    # @option options [Integer] :fail_fast_after (3) how many calls, and at least half of the latest, must time out or
    #   fail to connect before calls fail at once for `fail_fast_for`; 0 turns this off
    # @option options [Numeric] :fail_fast_for (5) how long calls fail at once before one of them tries the server
    #   again; the pause doubles, up to a minute, while it is not reached
    # @option options [Integer] :max_reply (262_144) the most bytes of one reply
    # @option options [Boolean] :learn (true) whether to use the shorter exchange, one to four round trips instead of
    #   four or five, once this server has proved to support it
    # @option options [Numeric] :relearn_after (600) how long, at most, to stay with the full exchange after a shorter
    #   one failed again and again
    # @option options [String, nil] :profile what an earlier client of this URL learned, as {#profile} gave it; an
    #   unusable profile is ignored
    # @raise [ConfigError] if the URL or an option has a value that cannot work
    # @raise [ArgumentError] if there is no such option
    def initialize(url, **options)
      unknown, = options.keys - Native::OPTIONS
      if unknown
        known = Native::OPTIONS.map(&:to_s)
        raise ArgumentError, Native.web_misnamed("Prebind::Client.new", "option", unknown.to_s, known)
      end

      @native = Native::Client.new(url.to_s, plain(options)).freeze
      freeze
    end

    # Opens an authenticated session for an account. Other threads run meanwhile; so do other fibers of this
    # thread, where it has a fiber scheduler.
    #
    # A resource in the JID is asked for; without one the server makes one. Exactly one of these
    # proves the right to the account: `password`, `token`, `jwt`, `oauthbearer`, `x_oauth2`,
    # `x_oauth2_issuer`, `anonymous`, `external`, `scram_keys`, `scram_salted_password`, or `mechanism` with its
    # `initial_response`; a `fast_token` goes before any of them, and may stand alone.
    #
    # What is raised in this thread meanwhile, by a signal, `Timeout` or `Thread#raise`, ends the call
    # within a fraction of a second, and so does `Thread#kill`. No session is left behind then.
    #
    # @param jid [String, #to_s]
    # @param secret [String, nil] the password, which may have its name as well
    # @param password [String, nil] used by the strongest of SCRAM-SHA-512, -256, -1 and PLAIN that
    #   both sides know
    # @param token [String, nil] what the server takes as a password, a JWT or a one-time token that
    #   the site verifies when the server asks; always by PLAIN
    # @param jwt [Jwt, nil] what signs a JSON Web Token for each call, by PLAIN; no user needs a password
    # @param oauthbearer [String, nil] an OAuth 2.0 token, by the mechanism of that name
    # @param x_oauth2 [String, nil] the same
    # @param x_oauth2_issuer [XOAuth2Issuer, nil] ejabberd's API, which issues such a token for each user
    # @param anonymous [Boolean] no account; the JID is only a domain
    # @param external [Boolean] a client certificate, or a header or cookie that the server looks at
    # @param mechanism [String, nil] any mechanism that ends after one message
    # @param initial_response [String, nil] that message
    # @param scram_keys [ScramKeys, nil] what a SCRAM store keeps, instead of the password
    # @param scram_salted_password [ScramSaltedPassword, nil] the same
    # @param fast_token [String, nil] what the last session of the account had as {Session#fast_token}
    # @param authcid [String, nil] another user name to log in under than the JID's
    # @param authzid [String, nil] the identity to act as; some servers trust it more than they should
    # @param nickname [String, nil] the name that other people see, for an account that the option `accounts` makes by
    #   ejabberd's API
    # @return [Session]
    # @raise [Error]
    def prebind(jid, secret = nil, password: nil, token: nil, jwt: nil, oauthbearer: nil, x_oauth2: nil,
                x_oauth2_issuer: nil, anonymous: false, external: false, mechanism: nil, initial_response: nil, scram_keys: nil,
                scram_salted_password: nil, fast_token: nil, authcid: nil, authzid: nil, nickname: nil)
      raise ArgumentError, "the password is given twice" if secret && password

      given = { password: secret || password, token:, jwt:, oauthbearer:, x_oauth2:, x_oauth2_issuer:,
                anonymous:, external:, mechanism:, initial_response:, scram_keys:, scram_salted_password:, fast_token:,
                authcid:, authzid:, nickname: }
      given = plain(given.compact)
      Session.new(**aside(->(fields) { @native.terminate(fields[:handle]) }) { @native.prebind(jid.to_s, given) })
    end

    # Ends a session that no browser has attached to yet: itself, or by its SID and next RID.
    #
    # @param session [Session, nil]
    # @param sid [String, nil]
    # @param rid [Integer, nil]
    # @return [nil]
    # @raise [TerminatedError] with `item-not-found` if the server does not know it, or not with this
    #   RID
    # @raise [Error] those of a failed connection
    def terminate(session = nil, sid: nil, rid: nil)
      by_values = sid && rid
      raise ArgumentError, "a session is needed, or sid and rid" if by_values ? session : (!session || sid || rid)

      aside do
        next @native.terminate(session.handle) if session&.handle

        @native.terminate_by(sid || session.sid, rid || session.rid)
      end
    end

    # What was learned of the server, for the option `profile` of another client: a short text without
    # anything secret, which stays the same while nothing new is learned.
    #
    # @return [String]
    def profile
      @native.profile
    end

    # What the doctor finds by another login.
    #
    # @api private
    def next_login(jid, first, following)
      @native.web_next_login(jid.to_s, plain(first), plain(following))
    end

    # What the doctor finds by a request that is too long.
    #
    # @api private
    def body_limit(credentials, url)
      @native.web_body_limit(plain(credentials), url)
    end

    # @return [String] without address and options
    def inspect
      "#<#{self.class}>"
    end

    private

    # Calls. Fibers take turns in one thread, and the call would keep it from them: where they have a scheduler, the
    # call gets a thread of its own. If the fiber is stopped, the call is too, and what it opened is ended.
    def aside(undo = nil, &)
      return yield unless Fiber.current_scheduler

      thread = Thread.new(&).tap { |it| it.report_on_exception = false }
      value = thread.value
      thread = nil
      value
    ensure
      opened = thread&.kill&.value
      aside { undo.call(opened) } if undo && opened
    end

    # Values in the few types that the native part takes.
    def plain(values)
      values.transform_values do |value|
        case value
        when Accounts, Jwt, ScramKeys, ScramSaltedPassword, XOAuth2Issuer then value.to_h
        when Range then value.minmax
        else value
        end
      end
    end
  end
end
