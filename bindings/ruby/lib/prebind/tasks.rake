# frozen_string_literal: true

namespace :prebind do
  desc "Logs a user in to the chat as the site would, and says what is wrong"
  task :doctor, %i[user host] => :environment do |_, arguments|
    require "prebind/doctor"
    user = arguments.fetch(:user) { abort "rake prebind:doctor[user]" }
    exit 1 unless Prebind::Doctor.new(user, **arguments.to_h.slice(:host)).call
  end
end
