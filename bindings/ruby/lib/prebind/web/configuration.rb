# frozen_string_literal: true

module Prebind
  module Web
    # The settings of a site: every name and every default, once.
    class Configuration
      # @return [String] the chat server's BOSH endpoint, as this site reaches it; required
      attr_accessor :url
      # @return [String] the domain of the users' JIDs; required unless {#user_jid} does without
      attr_accessor :domain
      # @return [String] the BOSH endpoint as the browser reaches it, in full or as a path of this
      #   site; else {#url}
      attr_writer :browser_url
      # @return [#call] `request -> user`, nil if nobody is logged in; by default Devise's or Warden's
      attr_accessor :current_user
      # @return [#call] `user -> String`: the user's bare JID, nil for a user without chat; by default
      #   `username` at {#domain}, escaped as XEP-0106 says
      attr_accessor :user_jid
      # @return [#call] `user, jid -> Hash`: keyword arguments of {Client#prebind}; required
      attr_accessor :credentials
      # @return [#call] `String -> user`, for `rake prebind:try[user]`; by default by `username`
      attr_accessor :find_user
      # @return [#call, nil] `request -> Symbol`: the language of messages for the user; by default
      #   `I18n.locale`, which no filter of the site's own controllers sets here
      attr_accessor :locale
      # @return [Array(Integer, Integer), nil] how many sessions a user may open in how many seconds;
      #   nil for any number. A user opens one with each tab, and one every few seconds while the chat
      #   server restarts.
      attr_accessor :rate_limit
      # @return [ActiveSupport::Cache::Store, nil] what counts them, and keeps what was learned of the
      #   chat server, so that a new process need not learn it; by default `Rails.cache`. It should be
      #   one that all processes share. Without one nothing is counted or kept.
      attr_writer :cache
      # @return [String] the address of Converse.js's `dist`, ending in `/`
      attr_accessor :assets
      # @return [Hash] further settings of Converse.js; what a prebound session depends on cannot be
      #   changed here
      attr_accessor :converse
      # @return [Hash] further options of {Client}, for example `{ deadline: 3 }`
      attr_accessor :options

      def initialize
        @current_user = ->(request) { request.env["warden"]&.authenticate }
        @user_jid = ->(user) { Prebind.jid_from_user(user.username, domain.to_s) }
        @credentials = ->(*) { raise ArgumentError, "Prebind.config.credentials is missing" }
        @find_user = ->(name) { ::User.find_by(username: name) }
        @rate_limit = [30, 60]
        @assets = "/converse/"
        @converse = {}
        @options = {}
      end

      # (see #browser_url=)
      def browser_url
        @browser_url || url
      end

      # (see #cache=)
      def cache
        defined?(@cache) ? @cache : (::Rails.cache if defined?(::Rails.cache))
      end

      # Who is logged in. Whom Warden throws out, as Devise does after a time, is nobody: the redirect
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
      # @return [Client]
      # @raise [ConfigError] for settings that cannot work
      def client
        wanted = [Process.pid, url, options.dup]
        made_for, client = @client
        return client if made_for == wanted

        Client.new(url, profile: memory.recall, **options).tap { |made| @client = [wanted, made].freeze }
      end

      # @return [Memory] where what the client learns is kept
      def memory
        @memory ||= Memory.new(self)
      end

      # What the user is logged in with; nil for a user without chat.
      #
      # @param user what {#current_user} gave
      # @param resource [String] asked for unless it is empty
      # @return [Array(String, Hash), nil] a JID and keyword arguments of {Client#prebind}
      def account_of(user, resource = "")
        jid = user_jid.call(user) or return
        [resource.empty? ? jid : "#{jid}/#{resource}", credentials.call(user, jid)]
      end

      # @return [String] without options
      def inspect
        "#<#{self.class} url=#{url.inspect}>"
      end
    end
  end
end
