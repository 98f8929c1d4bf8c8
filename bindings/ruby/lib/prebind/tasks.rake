# frozen_string_literal: true

namespace :prebind do
  desc "Logs a user in to the chat as the site would, and says what is wrong"
  task :doctor, %i[user host] => :environment do |_, arguments|
    require "prebind/doctor"
    user = arguments.fetch(:user) { abort "rake prebind:doctor[user]" }
    exit 1 unless Prebind::Doctor.new(user, **arguments.to_h.slice(:host)).call
  end

  namespace :key do
    desc "Prints a new key that signs tokens; its algorithm is HS256 unless you name another"
    task :new, %i[algorithm id] => :environment do |_, arguments|
      puts Prebind::Jwt.new_key(**arguments.to_h)
    end

    desc "Prints what ejabberd needs to verify the tokens of config.jwt; domain is config.domain by default"
    task :ejabberd, %i[domain] => :environment do |_, arguments|
      puts Prebind.config.jwt.for_ejabberd(arguments[:domain] || Prebind.config.domain).instructions
    end

    desc "Prints what Prosody needs to verify the tokens of config.jwt; domain is config.domain by default"
    task :prosody, %i[domain] => :environment do |_, arguments|
      puts Prebind.config.jwt.for_prosody(arguments[:domain] || Prebind.config.domain).instructions
    end
  end
end
