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
  # Each site has its own, if there are several: it is by this that sessions are counted.
  config.cache_store = :file_store, "#{root}/tmp/cache/#{ENV.fetch('SITE_PORT', 8000)}"
  config.logger = ActiveSupport::Logger.new($stdout)
  config.log_level = :info
end
