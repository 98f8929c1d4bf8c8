# frozen_string_literal: true

require_relative "site"
require "rack/mock"
require "prebind/trial"
require "rails/generators"
require "generators/prebind/install/install_generator"

# The task, the generator, and the app for sites that are not Rails.
class ToolsTest < ActiveSupport::TestCase
  include Configured

  test "one real login" do
    output = StringIO.new
    before = PROSODY.bound
    Prebind::Trial.new("alice", output).call
    [/^user +key alice \(\d+ ms\)$/, /^account +alice@localhost, with password/, /^client +the settings are good/,
     %r{^login +alice@localhost/\S+ \(\d+ ms\)$}, /^mechanism +SCRAM-SHA-1$/, /^round trips +5$/,
     /^attach within +60 s$/, /^end +the session is gone/].each { |line| assert_match line, output.string }
    refute_includes output.string, PASSWORD
    assert_empty PROSODY.bound - before
  end

  test "what is wrong" do
    wrong = {
      /^user: there is no "eve"/ => -> { "eve" },
      /^account: user_jid says/ => -> { Prebind.config.user_jid = ->(_) {} },
      /^account: KeyError\n  from .*tools_test/ => -> { Prebind.config.credentials = ->(*) { raise KeyError, "a-wrong-secret" } },
      /^login: .*\n  kind=Auth / => -> { Prebind.config.credentials = ->(*) { { password: "a-wrong-secret" } } },
      /^client: .*deadline.*\n  kind=Config/ => -> { Prebind.config.options = { deadline: 0 } }
    }
    wrong.each do |message, change|
      setup
      name = change.call
      _, said = capture_io { assert_raises(SystemExit) { Prebind::Trial.new(name == "eve" ? name : "alice", StringIO.new).call } }
      assert_match message, said
      refute_includes said, "a-wrong-secret"
    end
  end

  test "the generator sets everything up" do
    generated("--url", "https://xmpp.example.net/bosh", "--domain", "example.net") do |folder|
      assert_includes File.read("#{folder}/config/routes.rb"), 'mount Prebind::Engine => "/prebind"'
      assert_match(%r{prebind_converse_tag %>\n *</body>}, File.read("#{folder}/app/views/layouts/application.html.erb"))
      devise = Prebind.config.current_user
      load "#{folder}/config/initializers/prebind.rb"
      assert_equal "https://xmpp.example.net/bosh", Prebind.config.url
      assert_equal "alice@example.net", Prebind.config.user_jid.call(User.find_by(username: "alice"))
      refute_equal devise, Prebind.config.current_user
    end
  end

  test "the generator knows Devise" do
    Object.const_set(:Devise, Module.new)
    generated do |folder|
      refute_match(/^ *config\.current_user/, File.read("#{folder}/config/initializers/prebind.rb"))
    end
  ensure
    Object.send(:remove_const, :Devise)
  end

  test "an app for Rack" do
    app = Rack::MockRequest.new(Prebind::Web::App.new)
    Prebind.config.current_user = ->(request) { User.find_by(username: request.GET["user"]) }
    nobody = app.get("/")
    assert_equal [401, "application/json"], [nobody.status, nobody.content_type]
    answer = app.get("/?user=alice", "HTTP_SEC_FETCH_SITE" => "same-origin")
    assert_equal [200, "no-store"], [answer.status, answer["Cache-Control"]]
    finish(JSON.parse(answer.body))
    assert_equal 403, app.post("/?user=alice", "HTTP_SEC_FETCH_SITE" => "same-origin").status
    has_token = ->(request) { request.get_header("HTTP_X_TOKEN") == "x" }
    with_token = Rack::MockRequest.new(Prebind::Web::App.new(has_token:))
    finish(JSON.parse(with_token.post("/?user=alice", "HTTP_X_TOKEN" => "x").body))
    assert_equal [200, 404], [app.get("/chat.js").status, app.get("/other").status]
    assert_includes Prebind::Web::Page.new(nil, path: "/prebind/").to_html, 'src="/prebind/chat.js?'
  end

  private

  # A new site, on which the generator was run.
  def generated(*options)
    Dir.mktmpdir do |folder|
      { "config/routes.rb" => "Rails.application.routes.draw do\nend\n",
        "app/views/layouts/application.html.erb" => "<html>\n  <body>\n    x\n  </body>\n</html>\n" }.each do |path, content|
        FileUtils.mkdir_p(File.dirname("#{folder}/#{path}"))
        File.write("#{folder}/#{path}", content)
      end
      capture_io { Prebind::Generators::InstallGenerator.start(options, destination_root: folder) }
      yield folder
    end
  end
end
