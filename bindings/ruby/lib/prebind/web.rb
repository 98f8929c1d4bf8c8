# frozen_string_literal: true

# Not while it is being loaded: it loads this in Rails.
require "prebind" unless defined?(Prebind::Client)
require "prebind/web/memory"
require "prebind/web/configuration"
require "prebind/web/guard"
require "prebind/web/endpoint"
require "prebind/web/page"
require "prebind/web/script"
require "prebind/web/app"

# A chat for the users of a web site, logged in as the page loads. In Rails, {Engine} is all of it;
# elsewhere {Web::App} is a Rack app, and {Web::Page} makes the elements of a page.
module Prebind
  # What is not Rails.
  module Web
    # What an error of the site's own was, for a log: its message might repeat a secret.
    #
    # @return [String] the class, and the last calls before it
    def self.place_of(error)
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
