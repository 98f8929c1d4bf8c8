# frozen_string_literal: true

# The chat.
Prebind.configure do |config|
  config.url = Person::BOSH_URL
  config.current_user = ->(request) { Person.find(request.session[:name]) }
  config.user_jid = ->(person) { Prebind.jid_from_user(person.name, "localhost") }
  config.credentials = ->(person, _jid) { person.credentials }
  config.find_user = Person.method(:find)
end
