# frozen_string_literal: true

require_relative "support"
require "net/http"

# Accounts and tokens that ejabberd's HTTP API makes, see core/docs/accounts.md.
class EjabberdsApiTest < Minitest::Test
  API = JSON.parse(ENV.fetch("PREBIND_SERVERS")).dig("ejabberd", "api_url")

  def test_the_first_login_makes_the_account_with_its_name
    client = EJABBERD.client(accounts: Prebind::Accounts.new(jid: "alice@localhost", password: PASSWORD, url: API))
    jwt = Prebind::Jwt.new(keys: "a key for tests, and only for tests", algorithm: "HS256")
    client.terminate(client.prebind("ruth@accounts.local", jwt:, nickname: "Ruth from Ruby"))
    # A command that ejabberd runs for its own machine.
    asked = { user: "ruth", host: "accounts.local", name: "NICKNAME" }
    answer = Net::HTTP.post(URI("#{API}/get_vcard"), asked.to_json, "Content-Type" => "application/json")
    assert_includes answer.body, "Ruth from Ruby"
  end

  def test_ejabberd_issues_the_token
    client = EJABBERD.client
    2.times do
      session = client.prebind("bob@oauth.local", x_oauth2_issuer: issuer(PASSWORD))
      assert_equal "X-OAUTH2", session.mechanism
      client.terminate(session)
    end
    error = assert_raises(Prebind::ConfigError) do
      client.prebind("carol@oauth.local", x_oauth2_issuer: issuer("wrong"))
    end
    assert_equal "x_oauth2_issuer", error.field
  end

  private

  def issuer(password)
    Prebind::XOAuth2Issuer.new(url: API, jid: "alice@localhost", password:)
  end
end
