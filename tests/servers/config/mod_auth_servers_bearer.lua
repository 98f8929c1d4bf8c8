-- OAUTHBEARER (RFC 7628) with a fixed list of tokens. Prosody 13 has the mechanism itself, and Prosody 0.12
-- has not. The community's module asks an https service about every token, and answers a wrong token at once
-- with a failure. The RFC and Prosody 13 first send a challenge with the reason.

local json = require "util.json";
local sasl = require "util.sasl";

local tokens = module:get_option("servers_bearer_tokens", {});

local function oauthbearer(self, message)
	if not message then
		return "failure", "malformed-request";
	elseif message == "\1" then
		return "failure", "not-authorized";
	end
	local authzid, pairs = message:match("^n,([^,]*),\1(.*\1)\1$");
	local token = pairs and ("\1" .. pairs):match("\1auth=[Bb]earer ([^\1]+)\1");
	if not token then
		return "failure", "malformed-request";
	end
	local username = self.profile.oauthbearer(self, token);
	if not username then
		return "challenge", json.encode({ status = "invalid_token" });
	elseif authzid ~= "" and authzid ~= "a=" .. username .. "@" .. self.realm then
		return "failure", "invalid-authzid";
	end
	self.username = username;
	return "success";
end

-- A mechanism is registered for all hosts, so this one would replace Prosody 13's own mechanism there.
if not pcall(require, "util.sasl.oauthbearer") then
	sasl.registerMechanism("OAUTHBEARER", { "oauthbearer" }, oauthbearer);
end

module:provides("auth", {
	get_sasl_handler = function ()
		return sasl.new(module.host, { oauthbearer = function (_, token)
			return tokens[token], tokens[token] and true, {};
		end });
	end;
	user_exists = function () return true; end;
});
