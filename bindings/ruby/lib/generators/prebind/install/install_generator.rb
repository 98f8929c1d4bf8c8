# frozen_string_literal: true

require "rails/generators/base"

module Prebind
  # What `rails generate prebind:…` finds.
  module Generators
    # Sets the chat up: the settings, the route, and the chat in the layout.
    class InstallGenerator < ::Rails::Generators::Base
      source_root File.expand_path("templates", __dir__)

      LAYOUT = "app/views/layouts/application.html.erb"
      private_constant :LAYOUT

      class_option :url, default: "https://chat.example.org/http-bind", desc: "The chat server's BOSH endpoint"
      class_option :domain, default: "example.org", desc: "What is behind the @ of the JIDs"

      # The settings.
      def create_initializer
        template "prebind.rb.tt", "config/initializers/prebind.rb"
      end

      # Where the browser asks.
      def mount_engine
        route 'mount Prebind::Engine => "/prebind"'
      end

      # The chat, at the end of every page.
      def add_chat
        return unless File.exist?(File.join(destination_root, LAYOUT))

        inject_into_file LAYOUT, "    <%= prebind_converse_tag %>\n", before: %r{^\s*</body>}
      end

      private

      def devise?
        defined?(::Devise)
      end
    end
  end
end
