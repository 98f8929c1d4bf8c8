-- Prosody as Debian configures it, plus BOSH and one host for each case to be tested. Every @NAME@ is filled
-- in when a server starts.

-- All files are in a temporary directory and belong to the user who runs the tests, which may be root.
run_as_root = true
pidfile = "@DIRECTORY@/prosody.pid"
data_path = "@DIRECTORY@/data"
plugin_paths = { "@DIRECTORY@" }
log = { { levels = { min = "@LOG_LEVEL@" }, to = "console" } }

interfaces = { "127.0.0.1" }
@TCP@
s2s_ports = { }
http_interfaces = { "127.0.0.1" }
http_ports = { @HTTP_PORT@ }
https_interfaces = { "127.0.0.1" }
https_ports = { @HTTPS_PORT@ }

ssl = {
	certificate = "@DIRECTORY@/server.pem";
	key = "@DIRECTORY@/server.key";
}
-- The client certificate is optional, because only cert.local needs one.
https_ssl = {
	certificate = "@DIRECTORY@/server.pem";
	key = "@DIRECTORY@/server.key";
	cafile = "@DIRECTORY@/ca.pem";
	verify = { "peer" };
}

modules_enabled = {
	"disco"; "roster"; "saslauth"; @TLS@ "blocklist"; "bookmarks"; "carbons"; "pep";
	"private"; "smacks"; "vcard4"; "vcard_legacy"; "csi_simple"; "ping"; "time"; "uptime";
	"version"; "posix"; "bosh"; "servers"; @LIMITS@ @SASL2@
}
limits = { c2s = { rate = "10kb/s" } }
consider_bosh_secure = @MECHANISMS_ON_HTTP@
authentication = "internal_hashed"

-- The path is a secret, because anyone who knows it can see who is connected.
servers_path = "/@SECRET@"

local accounts = @ACCOUNTS@

VirtualHost "localhost"
	@SITE_TOKENS@
	servers_accounts = accounts

VirtualHost "plain.local"
	authentication = "internal_plain"
	servers_accounts = accounts

VirtualHost "anon.local"
	authentication = "anonymous"

VirtualHost "onlyscram.local"
	disable_sasl_mechanisms = { "DIGEST-MD5", "PLAIN" }
	servers_accounts = accounts

-- On Prosody 0.12 these modules do not answer a login over BOSH.
VirtualHost "sasl2.local"
	modules_enabled = { "sasl2"; "sasl2_bind2" }
	servers_accounts = accounts

VirtualHost "refuse.local"
	conflict_resolve = "kick_new"
	servers_accounts = accounts

VirtualHost "cert.local"
	authentication = "ccert"
	certificate_match = "xmppaddr"

VirtualHost "bearer.local"
	authentication = "servers_bearer"
	servers_bearer_tokens = @BEARER_TOKENS@

@MORE_HOSTS@
