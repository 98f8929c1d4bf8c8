# frozen_string_literal: true

require "rails"
require "action_controller/railtie"
require "action_view/railtie"
require "prebind"
require_relative "../lib/person"

# The site. An example for one's own machine: one on the internet keeps its key to itself.
class Site < Rails::Application
  config.root = File.expand_path("..", __dir__)
  config.load_defaults Rails::VERSION::STRING.to_f
  config.secret_key_base = "an example's key is no secret"
  config.hosts.clear
  config.eager_load = true
  config.public_file_server.enabled = true
  config.cache_store = :file_store, "#{root}/tmp/cache"
  config.logger = ActiveSupport::Logger.new($stdout)
  config.log_level = :info
end
