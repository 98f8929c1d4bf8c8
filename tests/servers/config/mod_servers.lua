-- Makes the accounts of the test hosts, and says over HTTP who is connected.

module:set_global();

local array = require "util.array";
local create_user = require "core.usermanager".create_user;
local json = require "util.json";

local bosh_sessions = module:shared("/*/bosh/sessions");
local tcp_sessions = module:shared("/*/c2s/sessions");

-- The accounts can only be made once every host has its authentication provider.
module:hook("server-started", function ()
	for host in pairs(prosody.hosts) do
		local accounts = module:context(host):get_option("servers_accounts", {});
		for user, password in pairs(accounts) do
			assert(create_user(user, password, host));
		end
	end
end);

local function connected()
	local jids, streams = array(), 0;
	for jid in pairs(prosody.full_sessions) do
		jids:push(jid);
	end
	for _, sessions in ipairs({ bosh_sessions, tcp_sessions }) do
		for _ in pairs(sessions) do
			streams = streams + 1;
		end
	end
	return json.encode({ jids = jids; streams = streams });
end

module:provides("http", {
	default_path = module:get_option_string("servers_path");
	route = { ["GET /sessions"] = connected };
});
