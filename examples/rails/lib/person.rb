# frozen_string_literal: true

require "json"

# Who is who: what a site of your own has in its database, and this one in the environment.
#
# It reads what `servers prosody -- COMMAND` sets. `SITE_BOSH_URL` and `SITE_USERS` come first.
Person = Struct.new(:name, :password, :xmpp_password, keyword_init: true) do
  # Nil if no person has that name.
  def self.find(name)
    Person::ALL[name]
  end

  def id
    name
  end

  # What proves to the chat server who the user is; the browser never sees it.
  def credentials
    Person::JWT ? { jwt: Person::JWT } : { password: xmpp_password }
  end

  def password?(given)
    ActiveSupport::SecurityUtils.secure_compare(password, given.to_s)
  end
end

server = JSON.parse(ENV.fetch("PREBIND_SERVERS", "{}")).values.first
users = JSON.parse(ENV.fetch("SITE_USERS", "null")) ||
        server.fetch("accounts").to_h do |name, password|
          # The password for the site is another than the one for the chat.
          [name, { "password" => "site-of-#{name}", "xmpp_password" => password }]
        end

# What signs tokens, if the chat server takes them: then nobody has a chat password.
Person::JWT = ENV["SITE_KEY"]&.then { |key| Prebind::Jwt.new(keys: key) }
Person::BOSH_URL = ENV["SITE_BOSH_URL"] || server.fetch("http_url")
Person::ALL = users.to_h do |name, passwords|
  [name, Person.new(name:, **passwords.slice("password", "xmpp_password").transform_keys(&:to_sym)).freeze]
end.freeze
