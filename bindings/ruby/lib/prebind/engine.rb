# frozen_string_literal: true

require "rails/engine"
require "prebind/web"
require "prebind/converse_helper"

module Prebind
  # A chat for the users of a Rails site. `rails generate prebind:install` sets it up.
  #
  # @example in config/routes.rb
  #   mount Prebind::Engine => "/prebind"
  class Engine < ::Rails::Engine
    isolate_namespace Prebind

    initializer "prebind" do
      config.after_initialize { Prebind.logger ||= ::Rails.logger }
      ActiveSupport.on_load(:action_view) { include ConverseHelper }
    end

    # A chat server that asks as MongooseIM does has the token in the query.
    initializer "prebind.filter" do |app|
      app.config.filter_parameters << /\Apass\z/
    end

    # Where the browser asks.
    #
    # @param root [String] where the site itself is: the request's `original_script_name`
    # @return [String] a path
    # @raise [ArgumentError] if the site has not mounted it
    def self.mounted_at(root = "")
      path = routes.url_helpers.root_path(original_script_name: root)
      return path unless path == "#{root}/"

      raise ArgumentError, 'config/routes.rb has no mount Prebind::Engine => "/prebind"'
    end

    rake_tasks { load "prebind/tasks.rake" }
  end
end
