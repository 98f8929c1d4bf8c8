# frozen_string_literal: true

require_relative "site"
require_relative "../signatures"
require "rack/mock"
require "prebind/doctor"
require "rails/generators"
require "generators/prebind/install/install_generator"

# The task, the generator, and the app for sites that are not Rails.
class ToolsTest < ActiveSupport::TestCase
  include Configured
  include Signatures

  test "one real login" do
    before = PROSODY.bound
    well, said = examined
    assert well, said
    lines = said.lines(chomp: true)
    [/\A 1 site         prebind #{Prebind::VERSION}, Rails \S+, Ruby \S+, with the settings of the environment test \(\d+ ms\)\z/,
     /\A 2 user         alice has the key alice \(\d+ ms\)\z/, /\A 3 account      alice@localhost, with password/,
     /\A 4 users        not tried: there is no list of users: the class of users has no method last\z/,
     %r{\A 5 page         warning: there is no public/converse/converse\.min\.js: npm install},
     %r{\A 6 browser_url  warning: http://127\.0\.0\.1:\d+/http-bind is on this machine: set config\.browser_url to},
     /\A 7 reached      a chat server answers this machine/,
     /\A 8 rate_limit   warning: a MemoryStore belongs to one process, .* config\.cache_store/,
     %r{\A 9 client       http://\S+, and the settings are good},
     %r{\A10 login        alice@localhost/\S+, by SCRAM-SHA-1, in 5 round trips; a browser has 60 s to attach \(\d+ ms\)\z},
     /\A11 end          the session is gone/, /\A12 cache        warning: a MemoryStore belongs to one process/,
     /\A13 next_login   not tried: the credentials are no tokens/, /\A14 body_limit   not tried: the credentials are no tokens/]
      .zip(lines) { |expected, line| assert_match expected, line }
    assert_equal 14, lines.size
    refute_includes said, PASSWORD
    assert_empty PROSODY.left(before)
  end

  test "another token" do
    jwt = Prebind::Jwt.new(keys: "a key for tests, and only for tests", algorithm: "HS256")
    Prebind.config.url = Prebind.config.browser_url = EJABBERD.http_url
    Prebind.config.user_jid = ->(user) { "#{user.username}@jwt.local" }
    Prebind.config.credentials = ->(*) { { jwt: } }
    well, said = examined
    assert well, said
    assert_includes said, "13 next_login   another token logs in as well ("
    assert_includes said, "14 body_limit   a request of 70,000 bytes gets through, as it may"
  end

  test "what is right about the settings" do
    FileUtils.mkdir_p("#{Rails.public_path}/converse")
    FileUtils.touch("#{Rails.public_path}/converse/converse.min.js")
    Prebind.config.converse = { "theme" => :dracula, list: [1, 1.5, nil, true, { deep: "x" }] }
    # As if it were shared.
    Prebind.config.cache = Class.new(ActiveSupport::Cache::MemoryStore) { def self.name = "SharedStore" }.new
    Prebind.config.browser_url = "/http-bind"
    _, said = examined
    ["page         sessions are at /prebind/, Converse.js is /converse/converse.min.js",
     "browser_url  /http-bind (", "reached      not tried: the site's web server passes /http-bind on",
     "rate_limit   30 sessions of a user in 60 s, counted in SharedStore", "cache        SharedStore keeps what was learned"]
      .each { |line| assert_includes said, line }
    Prebind.config.rate_limit = nil
    Prebind.config.assets = "https://cdn.example.org/converse/"
    assert_match(%r{is https://cdn\.example\.org/converse/converse\.min\.js .*^ 8 rate_limit +off: }m, examined.last)
    Prebind.config.assets = nil
    assert_includes examined.last, "sessions are at /prebind/, and the pages load their client themselves"
  ensure
    FileUtils.rm_r("#{Rails.public_path}/converse")
  end

  test "what may be intentional is a warning" do
    { ActiveSupport::Cache::NullStore.new => ["NullStore does not count", "NullStore does not keep what was learned"],
      ActiveSupport::Cache::FileStore.new(Dir.mktmpdir) => ["a FileStore cannot count exactly", nil],
      BrokenCache.new => ["BrokenCache does not count", "BrokenCache does not keep what was learned"],
      nil => ["nothing counts", "there is none"] }.each do |cache, (counted, kept)|
      setup
      Prebind.config.cache = cache
      well, said = examined
      assert well, said
      assert_includes said, " 8 rate_limit   warning: #{counted}"
      assert_includes said, kept ? "12 cache        warning: #{kept}" : "12 cache        FileStore keeps what was learned"
    end
  end

  test "what keeps the chat from working" do
    wrong = {
      /converse must not have connection_options.worker/ =>
        -> { Prebind.config.converse = { "connection_options" => { "worker" => "/worker.js" } } },
      /converse must not have websocket_url/ => -> { Prebind.config.converse = { "websocket_url" => "wss://x/" } },
      /converse has no JSON as theme/ => -> { Prebind.config.converse = { theme: [Object.new] } },
      /assets must end in/ => -> { Prebind.config.assets = "/converse" }
    }
    wrong.each do |message, change|
      setup
      change.call
      well, said = examined
      refute well
      assert_match(/^ 5 page         error: config.#{message}/, said)
    end
    setup
    # As if it were not mounted.
    Prebind::Engine.routes.stub(:find_script_name, "") do
      assert_match(/^ 5 page         error: .*has no mount/, examined.last)
    end
  end

  test "the browser's address is tried" do
    Prebind.config.browser_url = Prebind.config.url.sub("http-bind", "elsewhere")
    well, said = examined
    assert well
    assert_match(/^ 7 reached      warning: from this machine: .*404/, said)
    { "ftp://chat.example.org/" => /error: ftp:\S+ is neither/, nil => /error: it is missing: set config.browser_url/ }
      .each do |address, line|
      Prebind.config.url = Prebind.config.browser_url = address
      well, said = examined
      refute well
      assert_match(/^ 6 browser_url  #{line}/, said)
      assert_includes said, " 7 reached      not tried: see 6 browser_url\n"
    end
  end

  test "users who share a JID are told" do
    users = %w[bob Alice alice].map { |name| User.new(username: name) } << User.new(username: " ")
    User.define_singleton_method(:last) { |most| users.last(most) }
    shared = "the user with the key Alice and the user with the key alice share alice@localhost: let config"
    assert_includes examined.last, " 4 users        warning: #{shared}"
    users.delete_at(1)
    assert_match(/^ 4 users        no two of 3 users share a chat account/, examined.last)
  ensure
    User.singleton_class.remove_method(:last)
  end

  test "what is wrong" do
    wrong = {
      /^ 2 user         error: there is no user eve: .*config.find_user.*^10 login +not tried: see 3 account$/m => -> { "eve" },
      /^ 3 account      error: this user has no chat/ => -> { Prebind.config.user_jid = ->(_) {} },
      /^ 3 account      error: only the session of a browser/ =>
        -> { Prebind.config.credentials = ->(_user, _jid, request) { { token: Prebind::Web::OmniAuth.token(request) } } },
      /^ 3 account      error: KeyError .*\n   from .*tools_test/ =>
        -> { Prebind.config.credentials = ->(*) { raise KeyError, "a-wrong-secret" } },
      /^10 login        error: .*\n   kind=Auth .*\n11 end          not tried: see 10 login$/ =>
        -> { Prebind.config.credentials = ->(*) { { password: "a-wrong-secret" } } },
      /^ 9 client       error: .*deadline.*\n   kind=Config/ => -> { Prebind.config.options = { deadline: 0 } }
    }
    wrong.each do |message, change|
      setup
      name = change.call
      well, said = examined(name == "eve" ? name : "alice")
      refute well
      assert_match message, said
      refute_includes said, "a-wrong-secret"
    end
  end

  test "keys are made and told" do
    require "rake"
    Rake.with_application do |rake|
      Rake::Task.define_task(:environment)
      load "prebind/tasks.rake"
      key, = capture_io { rake["prebind:key:new"].invoke("HS256", "2026-11") }
      Prebind.config.jwt = Prebind::Jwt.new(keys: key.strip)
      ejabberd, = capture_io { rake["prebind:key:ejabberd"].invoke }
      assert_equal Prebind.config.jwt.for_ejabberd("localhost").instructions.strip, ejabberd.strip
      prosody, = capture_io { rake["prebind:key:prosody"].invoke("example.org") }
      assert_includes prosody, "/etc/prosody/site-keys/2026-11.jwk"
      assert_includes prosody, 'VirtualHost "example.org"'
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
    assert_signed [Prebind, Prebind::Web, *web, Prebind::Engine, Prebind::ConverseHelper, Prebind::Doctor,
                   Prebind::Doctor::Settings], "prebind.rbs", "web.rbs"
  end

  private

  # Whether all is well with a user's chat, and what is said.
  def examined(name = "alice", **site)
    output = StringIO.new
    [Prebind::Doctor.new(name, output, **site).call, output.string]
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
