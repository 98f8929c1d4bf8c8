# frozen_string_literal: true

# Those of Rails would bring ActiveSupport.
ENV["MT_NO_PLUGINS"] = "1"
# As an app in development, Sinatra answers only to `localhost`, from 4.1 on.
ENV["RACK_ENV"] = "test"

require "rack"
require "rack/test"
require "tmpdir"
require_relative "guide"

# The site of rails.md that is not Rails.
class SinatraTest < Minitest::Test
  include Rack::Test::Methods

  def app
    @app ||= Dir.mktmpdir do |folder|
      ENV["PREBIND_PASSWORD"] = PASSWORD
      File.write("#{folder}/config.ru", Guide::BLOCKS.fetch("config.ru"))
      Rack::Builder.parse_file("#{folder}/config.ru").then { |app, _options| app }
    end
  end

  def test_it_is_not_rails
    app
    refute defined?(Rails)
    refute defined?(ActiveSupport)
  end

  def test_a_user_has_a_chat
    post "/login", username: "alice", password: "at-the-site"
    get "/"
    assert_includes last_response.body, '"jid":"alice@localhost"'
    assert_includes last_response.body, 'src="/prebind/chat.js?'
    get "/prebind/chat.js"
    assert_equal [200, Prebind::Web::Script::CONTENT], [last_response.status, last_response.body]
    get "/prebind?page=a-1", {}, { "HTTP_SEC_FETCH_SITE" => "same-origin" }
    assert_equal [200, "no-store, private"], [last_response.status, last_response["Cache-Control"]]
    session = JSON.parse(last_response.body)
    assert_equal "alice@localhost/a-1", session["jid"]
    Prebind.config.client.terminate(sid: session["sid"], rid: session["rid"])
  end

  def test_nobody_has_none
    get "/"
    assert_includes last_response.body, '<script id="prebind-converse" type="application/json">null</script>'
    get "/prebind", {}, { "HTTP_SEC_FETCH_SITE" => "same-origin" }
    assert_equal [401, '{"kind":"NotLoggedIn","retry":"no"}'], [last_response.status, last_response.body]
  end
end
