# Answers each line on stdin with a login of xmpp4r, whose client makes connections of its own for
# every call.

require "json"
require "openssl"
require "xmpp4r"
require "xmpp4r/httpbinding"

# Newer versions of REXML cannot do without the method that xmpp4r replaces.
REXML::IOSource.remove_method(:position)

url, jid, password, ca = ENV.values_at("PREBIND_URL", "PREBIND_JID", "PREBIND_PASSWORD", "PREBIND_CA")
Thread.report_on_exception = false

# Counts requests, and names the XMPP version, without which ejabberd never answers.
class Login < Jabber::HTTPBinding::Client
  attr_reader :posts

  def post(body, *rest)
    @posts = @posts.to_i + 1
    if body.respond_to?(:attributes)
      body.attributes["xmpp:version"] = "1.0"
      body.attributes["xmlns:xmpp"] = "urn:xmpp:xbosh"
    end
    super
  end

  # Leaves the session open for a browser to take over.
  def leave
    @status = Jabber::Connection::DISCONNECTED
    [[@http_sid, @http_rid + 1]]
  end

  # Polls at once after the login, from a thread: that is not part of it.
  def ensure_one_pending_request; end
end

$stdout.sync = true
$stdin.each_line do
  client = Login.new(Jabber::JID.new(jid))
  client.http_ssl_setup = lambda do |http|
    http.ca_file = ca
    http.verify_mode = OpenSSL::SSL::VERIFY_PEER
  end
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  begin
    client.connect(url)
    client.auth(password)
    seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
    answer = { seconds: seconds, round_trips: client.posts, sessions: client.leave }
  rescue StandardError => e
    answer = { errors: ["#{e.class}: #{e.message}"] }
  end
  puts JSON.generate(answer)
end
