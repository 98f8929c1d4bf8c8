# frozen_string_literal: true

require "json"

module Prebind
  class Doctor
    # What can be seen of the settings without a login. Each method gives the name of the outcome, and the words of its
    # text.
    class Settings
      # A setting with which there is no chat. The message says how to mend it.
      class Wrong < Web::SettingsError; end

      # How a store counts that belongs to one process, or does not count in one step.
      UNFIT = { "FileStore" => "inexact", "MemoryStore" => "one_process" }.freeze
      private_constant :UNFIT

      # @param config [Web::Configuration]
      def initialize(config)
        @config = config
      end

      # Whether a page of the site can have a chat.
      #
      # @return [Array(String, Hash)]
      # @raise [Wrong]
      def page
        endpoint = mounted_at
        check_converse(@config.converse)
        return ["own", { endpoint: }] if @config.assets.to_s.empty?

        wrong "config.assets must end in /, as \"/converse/\" does" unless @config.assets.end_with?("/")
        script = "#{@config.assets}converse.min.js"
        loadable?(script) ? ["ready", { endpoint:, script: }] : ["unseen", { script: "public#{script}" }]
      end

      # The BOSH endpoint as the browser reaches it.
      #
      # @return [Array(String, Hash)]
      def browser_url
        ["given", { url: @config.browser_url }]
      end

      # Whether a chat server is there.
      #
      # @return [Array(String, Hash)]
      def reached
        url = @config.browser_url
        return ["passed_on", { url: }] if url.start_with?("/")

        begin
          # There is no such session, and only a chat server says so.
          Client.new(url, deadline: Native::WEB_DEADLINE).terminate(sid: "prebind-doctor", rid: 1)
        rescue TerminatedError
          nil
        end
        ["answered", {}]
      rescue Prebind::Error => e
        ["unanswered", { message: e.message }]
      end

      # Whether sessions are counted for all processes.
      #
      # @return [Array(String, Hash)]
      def rate_limit
        count, seconds = @config.rate_limit
        return ["off", {}] unless count

        store = @config.cache or return ["no_cache", {}]
        return ["uncounted", { cache: name }] unless counts?(store)

        unfit = UNFIT[name]
        unfit ? [unfit, { cache: name }] : ["counted", { cache: name, count:, seconds: }]
      end

      # Whether what the client learned is kept for all processes.
      #
      # @param client [Client]
      # @return [Array(String, Hash)]
      def kept(client)
        return ["no_cache", {}] unless @config.cache
        return ["one_process", { cache: name }] if UNFIT[name] == "one_process"

        [@config.memory.kept?(client) ? "kept" : "lost", { cache: name }]
      end

      private

      def wrong(message)
        raise Wrong, message
      end

      def mounted_at
        Engine.mounted_at
      rescue ArgumentError => e
        wrong e.message
      end

      def check_converse(given)
        wrong "config.converse must be a Hash" unless given.is_a?(Hash)
        name, = given.find { |_, value| !json?(value) }
        wrong "config.converse has no JSON as #{name}: only texts, numbers, true, false, nil, arrays and hashes are" if name
        name, = Native.web_reserved(JSON.generate(given), @config.assets.to_s)
        wrong "config.converse must not have #{name}: the page would have no chat with it, or decides it" if name
      end

      def json?(value)
        case value
        when Hash then value.each_value.all? { |each| json?(each) }
        when Array then value.all? { |each| json?(each) }
        when Float then value.finite?
        when String then value.dup.force_encoding("UTF-8").valid_encoding?
        else [nil, true, false].include?(value) || value.is_a?(Symbol) || value.is_a?(Integer)
        end
      end

      # What is elsewhere, nobody can see from here.
      def loadable?(script)
        script.match?(%r{\A(https?:)?//}) || File.exist?(File.join(::Rails.public_path, script))
      end

      def counts?(store)
        store.write("prebind/doctor", 0, expires_in: 60, raw: true)
        store.increment("prebind/doctor") == 1
      rescue *Web::FAILURES
        false
      end

      def name
        @config.cache.class.name.split("::").last
      end
    end
  end
end
