# frozen_string_literal: true

namespace :prebind do
  desc "Logs a user in to the chat as the site would, step by step, and ends the session again"
  task :try, [:user] => :environment do |_, arguments|
    require "prebind/trial"
    Prebind::Trial.new(arguments.fetch(:user) { abort "rake prebind:try[user]" }).call
  end
end
