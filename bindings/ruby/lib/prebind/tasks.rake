# frozen_string_literal: true

namespace :prebind do
  desc "Logs a user in to the chat as the site would, step by step, and ends the session again"
  task :try, %i[user host] => :environment do |_, arguments|
    require "prebind/trial"
    user = arguments.fetch(:user) { abort "rake prebind:try[user]" }
    Prebind::Trial.new(user, **arguments.to_h.slice(:host)).call
  end
end
