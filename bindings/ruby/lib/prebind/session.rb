# frozen_string_literal: true

require "json"

module Prebind
  # An authenticated session, ready for a browser to attach to. Frozen.
  #
  # Anyone with SID and RID has the session: `inspect` hides them. Times are seconds.
  class Session
    # @return [String] the full JID the server bound
    attr_reader :jid
    # @return [String] the session ID
    attr_reader :sid
    # @return [Integer] the request ID to send next: what Strophe's and Converse's `attach` take
    attr_reader :rid
    # @return [Integer, nil] within which the browser must attach; nil if the server did not say
    attr_reader :inactivity
    # @return [Integer, nil] how long the server may hold a request
    attr_reader :wait
    # @return [Integer, nil] how many requests the server may hold
    attr_reader :hold
    # @return [Integer, nil] how many requests may be open at once; nil if the server did not say
    attr_reader :requests
    # @return [String, nil] the SASL mechanism that was used
    attr_reader :mechanism
    # @return [Integer, nil] how many times a request was sent and its answer waited for
    attr_reader :round_trips
    # @return [Array<(String, String, String)>] name, value and path of each cookie that a load balancer in
    #   front of the server set; the path is empty if it gave none. Where the browser reaches the server
    #   through it, it must present them too.
    attr_reader :cookies
    # @return [String, nil] the token to log in with next time, to be kept for this account as carefully
    #   as a password: a new one, or that of this login if the server did not replace it; nil if there
    #   is none, or no longer; forget the kept one then
    attr_reader :fast_token

    # Only {Client} has more to give than JID, SID and RID; a session that was stored is made of these.
    #
    # @param jid [String]
    # @param sid [String]
    # @param rid [Integer]
    def initialize(jid:, sid:, rid:, inactivity: nil, wait: nil, hold: nil, requests: nil,
                   mechanism: nil, round_trips: nil, cookies: [], fast_token: nil, handle: nil)
      @jid = jid.dup.freeze
      @sid = sid.dup.freeze
      @rid = rid
      @inactivity = inactivity
      @wait = wait
      @hold = hold
      @requests = requests
      @mechanism = mechanism.freeze
      @round_trips = round_trips
      @cookies = cookies.each { |cookie| cookie.each(&:freeze).freeze }.freeze
      @fast_token = fast_token.freeze
      @handle = handle.freeze
      freeze
    end

    # @return [Integer] the request ID that was sent last, for clients that add one themselves
    def last_rid
      rid - 1
    end

    # @param extras [Array<String, Symbol>] further values for clients that want them: `last_rid`, `wait`,
    #   `inactivity`
    # @return [Hash{Symbol => Object}] exactly `jid`, `sid` and `rid`, what browser clients ask for, and
    #   the extras
    # @raise [ArgumentError] for any other name
    def to_h(*extras)
      complaint = Native.web_given("extras", "extras", extras)
      raise ArgumentError, complaint if complaint

      { jid:, sid:, rid:, **extras.to_h { |name| [name.to_sym, public_send(name)] } }
    end

    # What Rails makes JSON of.
    #
    # @return [Hash{String => Object}]
    def as_json(*)
      to_h.transform_keys(&:to_s)
    end

    # @return [String] {#to_h} as JSON
    def to_json(*state)
      to_h.to_json(*state)
    end

    # @return [Boolean] whether it is the same session, with the same RID
    def ==(other)
      other.is_a?(Session) && to_h == other.to_h
    end
    alias eql? ==

    # Equal for equal sessions.
    def hash
      to_h.hash
    end

    # @return [String] without SID, RID, cookies and token
    def inspect
      "#<#{self.class} jid=#{jid.inspect} mechanism=#{mechanism.inspect} inactivity=#{inactivity.inspect}>"
    end
    alias to_s inspect

    # What {Client#terminate} ends, with its cookies.
    #
    # @api private
    attr_reader :handle
  end
end
