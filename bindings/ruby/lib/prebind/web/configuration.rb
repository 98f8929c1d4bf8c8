# frozen_string_literal: true

module Prebind
  module Web
    # The settings of a site: every name and every default, once.
    class Configuration
      # What may be another for each request.
      OF_A_TENANT = %i[url domain browser_url assets converse options].freeze
      private_constant :OF_A_TENANT

      # Tenants come from settings and are few; a function that makes them up must not fill the memory.
      MAX_TENANTS = 1024
      private_constant :MAX_TENANTS

      # What is in the session while a member of staff acts as somebody else, by pretender or devise_masquerade.
      BY_STAFF = /\A(impersonated_\w+_id|devise_masquerade_\w+)\z/
      private_constant :BY_STAFF

      # @return [String] the chat server's BOSH endpoint, as this site reaches it; required
      attr_accessor :url
      # @return [String] the domain of the users' JIDs; required unless {#user_jid} does without
      attr_accessor :domain
      # @return [String] the BOSH endpoint as the browser reaches it, in full or as a path of this
      #   site; else {#url}
      attr_writer :browser_url
      # @return [#call] `request -> user`, nil if nobody is logged in; by default Devise's or Warden's
      attr_accessor :current_user
      # @return [#call] `user -> String` or `user, request -> String`: the user's bare JID, nil for a user
      #   without chat; by default `username` at {#domain}, escaped as XEP-0106 says
      attr_accessor :user_jid
      # @return [#call] `user, jid -> Hash` or `user, jid, request -> Hash`: keyword arguments of
      #   {Client#prebind}; required. It may raise {SignInAgain}
      attr_accessor :credentials
      # @return [#call, nil] `request -> Hash`: those of `url`, `domain`, `browser_url`, `assets`, `converse`
      #   and `options` that are others for this request, for example where each host has a chat server of its
      #   own; by default nil
      attr_accessor :tenant
      # @return [#call, nil] `request -> true`, if somebody else acts as the user, who then has no chat; by
      #   default whether pretender or devise_masquerade says so. Nil if such requests are as good as the
      #   user's own.
      attr_accessor :impersonated
      # @return [#call] `String -> user`, for `rake prebind:doctor[user]`; by default by `username`
      attr_accessor :find_user
      # @return [Jwt] what issues and verifies the tokens of a site that the chat server asks; in Rails by default one that
      #   signs with a key made of `secret_key_base`, each token for one login
      attr_writer :jwt
      # @return [String, Array<String>, nil] what proves to {ChatLogin} that the chat server asks: 16 or more visible
      #   ASCII characters, several while they change; nil if no chat server asks, by default
      attr_accessor :site_secret
      # @return [Array<String>, nil] the addresses and networks (`10.0.0.0/24`) from which the chat server asks; nil if it
      #   is on this machine, by default
      attr_accessor :chat_server_addresses
      # @return [#call] `request -> String`: the address of the machine that asks; by default the one that Rails or Rack
      #   believes, with the proxies that it trusts
      attr_accessor :client_address
      # @return [#call] `name, jid -> true` or `name, jid, request -> true`, if there is a user with this JID; the name is
      #   what the JID has before the `@`, in lower case and without escapes. By default whether the user that
      #   {#find_user} finds by the name has this JID.
      attr_accessor :user_exists
      # @return [Array(Integer, Integer), nil] how many sessions a user may open in how many seconds;
      #   nil for any number. A user opens one with each tab, and one every few seconds while the chat
      #   server restarts.
      attr_reader :rate_limit
      # @return [ActiveSupport::Cache::Store, nil] what counts them, and keeps what was learned of the
      #   chat server, so that a new process need not learn it; by default `Rails.cache`. It should be
      #   one that all processes share. Without one nothing is counted or kept.
      attr_writer :cache
      # @return [String, nil] the address of Converse.js's `dist`, ending in `/`; nil if the pages load
      #   Converse.js, or another client, themselves
      attr_accessor :assets
      # @return [Hash] further settings of Converse.js; what a prebound session depends on cannot be
      #   changed here
      attr_accessor :converse
      # @return [Array<String, Symbol>] what the browser is answered besides JID, SID and RID, for clients
      #   that want more: `last_rid`, `wait`, `inactivity`
      attr_reader :extras
      # @return [Hash] further options of {Client}, for example `{ deadline: 2 }`
      attr_accessor :options

      def initialize
        @current_user = ->(request) { request.env["warden"]&.authenticate }
        @user_jid = ->(user, request) { Prebind.jid_from_user(user.username, self.for(request).domain.to_s) }
        @impersonated = ->(request) { request.session.to_h.any? { |name, value| value && BY_STAFF.match?(name) } }
        @credentials = ->(*) { raise ArgumentError, "Prebind.config.credentials is missing" }
        @find_user = ->(name) { ::User.find_by(username: name) }
        @client_address = ->(request) { request.respond_to?(:remote_ip) ? request.remote_ip : request.ip }
        @user_exists = lambda do |name, jid, request|
          user = find_user.call(name)
          !user.nil? && called(user_jid, user, request) == jid
        end
        @rate_limit = [30, 60]
        @assets = "/converse/"
        @converse = {}
        @extras = []
        @options = {}
      end

      # (see #browser_url=)
      def browser_url
        @browser_url || url
      end

      # (see #extras)
      #
      # @raise [Web::SettingsError] for anything else
      def extras=(names)
        @extras = Web.checked("extras", "config.extras", names)
      end

      # (see #rate_limit)
      #
      # @raise [Web::SettingsError] for anything else
      def rate_limit=(limit)
        @rate_limit = Web.checked("rate_limit", "config.rate_limit", limit)
      end

      # (see #cache=)
      def cache
        defined?(@cache) ? @cache : (::Rails.cache if defined?(::Rails.cache))
      end

      # (see #jwt=)
      #
      # @raise [Web::SettingsError] if there is none
      def jwt
        @jwt ||= of_rails || raise(SettingsError, "config.jwt is missing")
      end

      # Whether there is a user with this JID, as {#user_exists} says.
      #
      # @param name [String] what the JID has before the `@`, in lower case and without escapes
      # @param jid [String]
      # @param request [Rack::Request]
      # @return [Boolean]
      def user_exists?(name, jid, request)
        called(user_exists, name, jid, request) ? true : false
      end

      # Who is logged in. A user whom Warden throws out, as Devise does after a time, is not: the redirect
      # that it asks for is for pages.
      #
      # @param request [Rack::Request]
      # @return what {#current_user} gave
      def user_of(request)
        user = nil
        catch(:warden) { user = current_user.call(request) }
        user
      end

      # The client that this process logs everybody in with; it is made when it is first needed, and
      # knows what earlier processes learned of the chat server. A process that was forked makes one of
      # its own, and remembers no failures of its parent's.
      #
      # @param workers [Integer] how many requests this process serves at once, 0 if it is no web server
      # @return [Client]
      # @raise [ConfigError] for settings that cannot work
      def client(workers = 0)
        wanted = [Process.pid, url, workers, options.dup]
        made_for, client = @client
        return client if made_for == wanted

        made = Client.new(url, profile: memory.recall, deadline: Native::WEB_DEADLINE, workers:, **options)
        @client = [wanted, made].freeze
        made
      end

      # @return [Cache] the cache, as the endpoint asks it
      def store
        @store ||= Cache.new(self)
      end

      # @return [Memory] where what the client learns is kept
      def memory
        @memory ||= Memory.new(self)
      end

      # The user's bare JID; nil or empty for a user without chat, such as one as whom somebody else acts.
      #
      # @param user what {#current_user} gave
      # @param request [Rack::Request, nil] nil if nothing is known of it
      # @return [String, nil]
      # @raise [Web::SettingsError] if {#user_jid} returned anything else
      def jid_of(user, request)
        unless request && impersonated&.call(request)
          return Web.checked("jid", "config.user_jid", called(user_jid, user, request))
        end

        Prebind.logger&.info("prebind") do
          "user #{Guard.key_of(user)}: no chat, since somebody else acts as this user (config.impersonated)"
        end
        nil
      end

      # What proves to the chat server who the user is.
      #
      # @param user what {#current_user} gave
      # @param jid [String] what {#jid_of} gave
      # @param request [Rack::Request]
      # @return [Hash{Symbol => Object}] keyword arguments of {Client#prebind}
      # @raise [Web::SettingsError] if {#credentials} returned anything else
      def credentials_of(user, jid, request)
        given = Web.checked("credentials", "config.credentials", called(credentials, user, jid, request))
        # `to_hash`, since a HashWithIndifferentAccess makes a text of every key.
        given.to_hash.transform_keys(&:to_sym)
      end

      # What holds for this request: these settings, and what {#tenant} says instead.
      #
      # @param request [Rack::Request, nil]
      # @return [Configuration]
      # @raise [Web::SettingsError] if {#tenant} gives what is no setting of a tenant's
      def for(request)
        return self unless tenant && request

        given = Web.checked("tenant", "config.tenant", tenant.call(request)).to_hash.transform_keys { |name| name.to_s.to_sym }
        unknown, = given.keys - OF_A_TENANT
        known = OF_A_TENANT.map(&:to_s)
        raise SettingsError, Native.web_misnamed("config.tenant", "setting", unknown.to_s, known) if unknown

        @tenants ||= {}
        @tenants.shift if @tenants.size >= MAX_TENANTS && !@tenants.key?(given)
        @tenants[given] ||= with(given)
      end

      # @return [String] without options
      def inspect
        "#<#{self.class} url=#{url.inspect}>"
      end

      private

      # What signs with a key of the Rails site's own.
      def of_rails
        return unless defined?(::Rails.application) && ::Rails.application

        key = ::Rails.application.key_generator.generate_key("prebind tokens", 32)
        Jwt.new(keys: key.unpack1("H*"), algorithm: "HS256", once: true)
      end

      def initialize_copy(_)
        @client = @memory = @tenants = nil
      end

      def with(given)
        dup.tap { |copy| { tenant: nil, **given }.each { |name, value| copy.public_send("#{name}=", value) } }
      end

      # Calls one of the site's own functions. It gets the request as well if it has a place for it.
      def called(function, *given, request)
        arity = (function.respond_to?(:arity) ? function : function.method(:call)).arity
        required = arity.negative? ? ~arity : arity
        required > given.size ? function.call(*given, request) : function.call(*given)
      end
    end
  end
end
