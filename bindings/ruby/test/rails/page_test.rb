# frozen_string_literal: true

require_relative "site"

# What is in a page.
class PageTest < ActionDispatch::IntegrationTest
  include Configured

  test "everything that a prebound session needs" do
    html = page
    assert_equal(
      { "view_mode" => "overlayed", "authentication" => "prebind", "prebind_url" => "/prebind",
        "bosh_service_url" => PROSODY.http_url, "jid" => "alice@localhost", "auto_login" => true, "keepalive" => true,
        "assets_path" => "/converse/" },
      settings_of(html)
    )
    assert_includes html, '<link rel="stylesheet" href="/converse/converse.min.css" nonce="a-nonce">'
    assert_includes html, %(<script type="module" src="/converse/converse.min.js" nonce="a-nonce"></script>)
    chat = "/prebind/chat.js?#{Prebind::Web::Script::VERSION}"
    assert_includes html, %(<script defer src="#{chat}" nonce="a-nonce" data-prebind="prebind_url=%2Fprebind&amp;jid=)
    %w[converse assets_path bosh_service_url].each do |name|
      assert_includes html, "&amp;#{name}="
    end
    refute_includes html, PASSWORD
  end

  test "settings of the site's own" do
    Prebind.config.converse = { view_mode: "embedded", "theme" => "dracula", jid: "eve@localhost" }
    Prebind.config.browser_url = "/http-bind"
    settings = settings_of(page)
    assert_equal ["embedded", "dracula", "alice@localhost", "/http-bind"],
                 settings.values_at("view_mode", "theme", "jid", "bosh_service_url")
  end

  test "no setting gets out of its element" do
    hostile = "</script><script>alert('&\"')</script><!--\u2028"
    Prebind.config.converse = { nickname: hostile }
    Prebind.config.assets = '/"><script>alert(1)</script>/'
    html = page
    assert_equal hostile, settings_of(html)["nickname"]
    assert_equal 3, html.scan("<script").size
    assert_equal 3, html.scan("</script>").size
    refute_includes html, "<!--"
  end

  test "a site below a path" do
    site = Rack::MockRequest.new(Rack::URLMap.new("/shop" => Rails.application))
    cookie = site.get("/shop/sign_in/alice")["Set-Cookie"][/[^;]+/]
    html = site.get("/shop/", "HTTP_COOKIE" => cookie).body
    assert_equal "/shop/prebind", settings_of(html)["prebind_url"]
    assert_includes html, 'src="/shop/prebind/chat.js?'
    assert_equal 200, site.get("/shop/prebind/chat.js").status
  end

  test "without a chat the last one is cleared away" do
    get "/"
    assert_nil settings_of(response.body)
    Prebind.config.user_jid = ->(_) {}
    html = page
    assert_nil settings_of(html)
    assert_includes html, "/prebind/chat.js"
    refute_includes html, "converse.min"
  end

  test "a page is unharmed" do
    [KeyError, NotImplementedError].each do |kind|
      Prebind.config.user_jid = ->(_) { raise kind, "the site's own mistake" }
      html = page
      assert html.start_with?("<h1>The page</h1>")
      # The script clears away the chat of the user before.
      assert_nil settings_of(html)
      refute_includes html, "converse.min"
      assert_match(/the page has no chat: #{kind}\n  from .*page_test\.rb/, @logged.string)
      refute_includes @logged.string, "the site's own mistake"
    end
  end

  test "a user who can have no JID has a page without chat, and the log one line" do
    Prebind.config.user_jid = ->(_) { Prebind.jid_from_user("\u{1f600}", "example.org") }
    html = page
    assert_nil settings_of(html)
    assert_includes html, "/prebind/chat.js"
    assert_equal 1, @logged.string.lines.size, @logged.string
    assert_includes @logged.string, "the page has no chat: jid: "
  end

  test "a page is unharmed where nobody can be found" do
    Prebind.config.current_user = ->(_) { raise NotImplementedError, "the site's own mistake" }
    assert_equal "<h1>The page</h1>", page
    assert_match(/the page has no chat: NotImplementedError\n  from /, @logged.string)
  end

  private

  def page
    get "/sign_in/alice"
    get "/"
    response.body
  end

  def settings_of(html)
    JSON.parse(html[%r{<script id="prebind-converse" type="application/json">(.*?)</script>}, 1])
  end
end
