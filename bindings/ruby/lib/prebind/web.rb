# frozen_string_literal: true

# Not while it is being loaded: it loads this in Rails.
require "prebind" unless defined?(Prebind::Client)
require "prebind/web/cache"
require "prebind/web/memory"
require "prebind/web/configuration"
require "prebind/web/guard"
require "prebind/web/workers"
require "prebind/web/databases"
require "prebind/web/endpoint"
require "prebind/web/page"
require "prebind/web/script"
require "prebind/web/chat_login"
require "prebind/web/app"
require "prebind/web/omniauth"

# A chat for the users of a web site, logged in as the page loads. In Rails, {Engine} is all of it;
# elsewhere {Web::App} is a Rack app, and {Web::Page} makes the elements of a page.
module Prebind
  # What is not Rails.
  module Web
    # What the site's own code may raise, and only the chat suffers from.
    FAILURES = [StandardError, ScriptError, SystemStackError].freeze

    # One of the site's own settings or functions gave an unusable value. The message says why: it names classes
    # and keys, never a value.
    class SettingsError < StandardError; end

    # {Configuration#credentials} raises it if the user's sign-in at the identity provider has expired and cannot be
    # renewed. The page then shows what the site has in its element `data-prebind-sign-in`.
    class SignInAgain < StandardError; end

    # What one of the site's own functions returned.
    #
    # @param given [String] what the core calls it
    # @param called [String] what the site calls the function
    # @raise [SettingsError] if it is unusable
    def self.checked(given, called, value)
      complaint = Native.web_given(given, called, value)
      complaint ? raise(SettingsError, complaint) : value
    end

    # What an error of the site's own was, for a log: its message might repeat a secret.
    #
    # @return [String] the class, and the last calls before it; what {SettingsError} says
    def self.place_of(error)
      return error.message if error.is_a?(SettingsError)

      [error.class, *error.backtrace&.first(5)].join("\n  from ")
    end
  end

  class << self
    # @return [Web::Configuration] the site's settings
    def config
      @config ||= Web::Configuration.new
    end

    # Changes the site's settings.
    #
    # @yieldparam config [Web::Configuration]
    def configure
      yield config
    end
  end
end
