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
    ["/converse/converse.min.js", "/prebind/chat.js?#{Prebind::Web::Script::VERSION}"].each do |script|
      assert_includes html, %(<script type="module" src="#{script}" nonce="a-nonce"></script>)
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
    Prebind.config.user_jid = ->(_) { raise KeyError, "the site's own mistake" }
    assert_equal "<h1>The page</h1>", page
    assert_match(/the page has no chat: KeyError\n  from .*page_test\.rb/, @logged.string)
    refute_includes @logged.string, "the site's own mistake"
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
