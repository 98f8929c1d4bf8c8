# frozen_string_literal: true

# A site of one page, whose visitors are all Alice.

require "json"
require "prebind"
require "prebind/web"

PASSWORD = JSON.parse(ENV.fetch("PREBIND_SERVERS")).dig("prosody", "accounts", "alice")

Prebind.configure do |config|
  config.url = ENV.fetch("SITE_BOSH_URL")
  config.current_user = ->(_request) { "alice" }
  config.user_jid = ->(_user) { "alice@localhost" }
  config.credentials = ->(_user, _jid) { { password: PASSWORD } }
  config.rate_limit = nil
end

map("/prebind") { run Prebind::Web::App.new }
map("/page") { run ->(_env) { [200, { "content-type" => "text/html" }, ["<h1>A page</h1>"]] } }
