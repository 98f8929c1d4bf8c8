# frozen_string_literal: true

require_relative "site"
require_relative "../signatures"
require "rack/mock"
require "prebind/trial"
require "rails/generators"
require "generators/prebind/install/install_generator"

# The task, the generator, and the app for sites that are not Rails.
class ToolsTest < ActiveSupport::TestCase
  include Configured
  include Signatures

  test "one real login" do
    output = StringIO.new
    before = PROSODY.bound
    Prebind::Trial.new("alice", output).call
    [/^user +key alice \(\d+ ms\)$/, /^account +alice@localhost, with password/, /^client +the settings are good/,
     /^users +not tried: User has no last/,
     %r{^page +warning: there is no public/converse/converse\.min\.js: npm install}, /^cache +warning: .*MemoryStore/,
     %r{^browser_url +warning: http://127\.0\.0\.1:\d+/http-bind is on this machine},
     %r{^login +alice@localhost/\S+ \(\d+ ms\)$}, /^mechanism +SCRAM-SHA-1$/, /^round trips +5$/,
     /^attach within +60 s$/, /^end +the session is gone/].each { |line| assert_match line, output.string }
    refute_includes output.string, PASSWORD
    assert_empty PROSODY.left(before)
  end

  test "what is right about the settings" do
    FileUtils.mkdir_p("#{Rails.public_path}/converse")
    FileUtils.touch("#{Rails.public_path}/converse/converse.min.js")
    Prebind.config.converse = { "theme" => :dracula, list: [1, 1.5, nil, true, { deep: "x" }] }
    # As if it were shared.
    Prebind.config.cache = Class.new(ActiveSupport::Cache::MemoryStore) { def self.name = "SharedStore" }.new
    Prebind.config.browser_url = "https://chat.example.org/http-bind"
    assert_equal ["sessions are at /prebind/, Converse.js is /converse/converse.min.js", "SharedStore"], seen.first(2)
    assert_match %r{\Awarning: https://chat\.example\.org/http-bind from this machine: }, seen.last
    Prebind.config.cache = nil
    Prebind.config.browser_url = "/http-bind"
    Prebind.config.assets = "https://cdn.example.org/converse/"
    assert_match(%r{is https://cdn\.example\.org/converse/converse\.min\.js\n.*none.*\n/http-bind, .*not tried}, seen.join("\n"))
  ensure
    FileUtils.rm_r("#{Rails.public_path}/converse")
  end

  test "what may be meant so" do
    { "http://chat.example.org/" => /is http: no page of https/, "http://[::1]:5280/" => /on this machine/,
      "https://chat.localhost/" => /on this machine/ }.each do |address, warning|
      Prebind.config.browser_url = address
      assert_match warning, seen.last
    end
    { ActiveSupport::Cache::NullStore.new => /a NullStore keeps nothing: set/,
      ActiveSupport::Cache::MemoryStore.new => /a MemoryStore belongs to one process: set/,
      ActiveSupport::Cache::FileStore.new("a-folder") => /a FileStore cannot count exactly: set/,
      BrokenCache.new => /the BrokenCache does not count/ }.each do |cache, warning|
      Prebind.config.cache = cache
      assert_match warning, seen[1]
    end
  end

  test "what keeps the chat from working" do
    wrong = {
      /converse must not have connection_options.worker/ =>
        -> { Prebind.config.converse = { "connection_options" => { "worker" => "/worker.js" } } },
      /converse must not have websocket_url/ => -> { Prebind.config.converse = { "websocket_url" => "wss://x/" } },
      /converse has no JSON as theme/ => -> { Prebind.config.converse = { theme: [Object.new] } },
      /assets must end in/ => -> { Prebind.config.assets = "/converse" },
      /browser_url is neither/ => -> { Prebind.config.browser_url = "ftp://chat.example.org/" },
      /browser_url is no address/ => -> { Prebind.config.browser_url = "https://chat example" },
      /url is missing/ => -> { Prebind.config.url = nil }
    }
    wrong.each do |message, change|
      setup
      change.call
      assert_match message, assert_raises(Prebind::Trial::Settings::Wrong) { seen }.message
    end
    setup
    # As if it were not mounted.
    Prebind::Engine.routes.stub(:find_script_name, "") do
      assert_match(/has no mount/, assert_raises(Prebind::Trial::Settings::Wrong) { seen }.message)
    end
  end

  test "the browser's address is tried" do
    settings = Prebind::Trial::Settings.new(Prebind.config)
    assert_match(/: a chat server answers this machine\z/, settings.send(:answered, Prebind.config.url))
    web = Prebind.config.url.sub("http-bind", "elsewhere")
    assert_match(/\Awarning: #{web} from this machine: .*404/, settings.send(:answered, web))
  end

  test "users who share a JID are told" do
    users = %w[bob Alice alice].map { |name| User.new(username: name) } << User.new(username: " ")
    User.define_singleton_method(:last) { |most| users.last(most) }
    output = StringIO.new
    Prebind::Trial.new("alice", output).call
    assert_match(/^users +warning: those with the keys Alice and alice share alice@localhost: let config/, output.string)
    users.delete_at(1)
    Prebind::Trial.new("alice", output).call
    assert_match(/^users +no two of the 3 newest share a JID/, output.string)
  ensure
    User.singleton_class.remove_method(:last)
  end

  test "what is wrong" do
    wrong = {
      /^user: there is no "eve"/ => -> { "eve" },
      /^page: config.assets must end/ => -> { Prebind.config.assets = "/converse" },
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
      assert_equal "alice@example.net", Prebind.config.jid_of(User.find_by(username: "alice"), nil)
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
    assert_equal [200, "no-store, private"], [answer.status, answer["Cache-Control"]]
    finish(JSON.parse(answer.body))
    assert_equal 403, app.post("/?user=alice", "HTTP_SEC_FETCH_SITE" => "cross-site").status
    finish(JSON.parse(app.post("/?user=alice", "HTTP_SEC_FETCH_SITE" => "same-origin").body))
    assert_equal [200, 404], [app.get("/chat.js").status, app.get("/other").status]
    assert_includes Prebind::Web::Page.new(nil, path: "/prebind/").to_html, 'src="/prebind/chat.js?'
  end

  test "the signatures are complete" do
    web = Prebind::Web.constants.map { |name| Prebind::Web.const_get(name) }.grep(Module)
    assert_operator web.size, :>, 6
    assert_signed [Prebind, Prebind::Web, *web, Prebind::Engine, Prebind::ConverseHelper, Prebind::Trial,
                   Prebind::Trial::Settings], "prebind.rbs", "web.rbs"
  end

  private

  # What is seen of the settings.
  def seen
    settings = Prebind::Trial::Settings.new(Prebind.config)
    [settings.page, settings.cache, settings.browser_url]
  end

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
