# frozen_string_literal: true

require "ipaddr"
require "json"
require "uri"

module Prebind
  class Trial
    # What can be seen of the settings without the chat server. Each method says what it found; what may be
    # meant so is a warning.
    class Settings
      # A setting with which there is no chat. The message says how to mend it.
      class Wrong < Web::SettingsError; end

      # What a store does that cannot count for all processes together.
      UNFIT = { "FileStore" => "cannot count exactly", "MemoryStore" => "belongs to one process",
                "NullStore" => "keeps nothing" }.freeze
      private_constant :UNFIT

      # @param config [Web::Configuration]
      def initialize(config)
        @config = config
      end

      # Whether a page of the site can have a chat.
      #
      # @return [String]
      # @raise [Wrong]
      def page
        path = mounted_at
        check_converse(@config.converse)
        wrong "config.assets must end in /, as \"/converse/\" does" unless @config.assets.to_s.end_with?("/")
        script = "#{@config.assets}converse.min.js"
        return "sessions are at #{path}, Converse.js is #{script}" if loadable?(script)

        "warning: there is no public#{script}: npm install converse.js, and link its dist there; or set config.assets"
      end

      # Whether sessions are counted, and what was learned is kept, for all processes.
      #
      # @return [String]
      # @raise [Wrong]
      def cache
        store = @config.cache or return "none: nothing is counted or kept"
        name = store.class.name.split("::").last
        if UNFIT.key?(name)
          return "warning: a #{name} #{UNFIT[name]}: set config.cache_store, or config.cache, to one that counts for " \
                 "all processes, for example :redis_cache_store"
        end
        counts?(store) ? name : "warning: the #{name} does not count: nothing is counted or kept"
      end

      # Whether a browser reaches the chat server.
      #
      # @return [String]
      # @raise [Wrong]
      def browser_url
        address = @config.browser_url or wrong "config.url is missing: the chat server's BOSH endpoint"
        return "#{address}, which this site's web server passes on to the chat server: not tried" if address.start_with?("/")

        uri = URI(address)
        wrong "config.browser_url is neither an address of http or https nor a path" unless uri.is_a?(URI::HTTP) && uri.host
        return "warning: #{address} is on this machine: set config.browser_url to what browsers elsewhere reach" if loopback?(uri)
        return answered(address) if uri.scheme == "https"

        "warning: #{address} is http: no page of https may ask it, and others can read along; use https"
      rescue URI::InvalidURIError
        wrong "config.browser_url is no address"
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

      # There is no such session, and only a chat server says so.
      def answered(address)
        begin
          Client.new(address).terminate(sid: "prebind-try", rid: 1)
        rescue TerminatedError
          nil
        end
        "#{address}: a chat server answers this machine"
      rescue Prebind::Error => e
        "warning: #{address} from this machine: #{e.message}"
      end

      def counts?(store)
        store.write("prebind/try", 0, expires_in: 60, raw: true)
        store.increment("prebind/try") == 1
      rescue *Web::FAILURES
        false
      end

      def loopback?(uri)
        IPAddr.new(uri.hostname).loopback?
      rescue IPAddr::Error
        uri.host.match?(/(\A|\.)localhost\z/i)
      end
    end
  end
end
