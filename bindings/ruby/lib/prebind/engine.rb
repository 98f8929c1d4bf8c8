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
      config.after_initialize do
        Prebind.logger ||= ::Rails.logger
        Prebind.config.cache ||= ::Rails.cache
      end
      ActiveSupport.on_load(:action_view) { include ConverseHelper }
    end

    rake_tasks { load "prebind/tasks.rake" }
  end
end
