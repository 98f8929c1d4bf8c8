# frozen_string_literal: true

require "prebind"
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
