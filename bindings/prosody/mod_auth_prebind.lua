-- Logs the users of a web site in with tokens that the site mints (JSON Web Tokens, RFC 7519), or with whatever the
-- site says yes to when it is asked. Users who have a password on this server keep it.
--
-- One file for Prosody 0.12 and 13. README.md beside it has the installation and the options.
-- Licence: MIT or Apache-2.0, at your choice.

local async = require "util.async";
local base64 = require "util.encodings".base64;
local http = require "net.http";
local jid = require "util.jid";
local json = require "util.json";
local jwt = require "util.jwt";
local lfs = require "lfs";
local new_sasl = require "util.sasl".new;
local random = require "util.random";
local resolve_relative_path = require "util.paths".resolve_relative_path;
local url_parse = require "socket.url".parse;

-- Prosody 13 has both, Prosody 0.12 neither.
local has_oauthbearer = pcall(require, "util.sasl.oauthbearer");
local has_crypto, crypto = pcall(require, "util.crypto");

-- How many seconds the clock of the site may be ahead of this server's.
local LEEWAY = 30;
-- The bytes of a password that Prosody's SASLprep allows. A longer one does not reach this module.
local MAX_PLAIN = 1023;
-- In bytes: a key file, the header of a token, an answer of the site.
local MAX_KEY_FILE = 65536;
local MAX_HEADER = 2048;
local MAX_ANSWER = 4096;
local MAX_KEYS = 32;
-- How many questions to the site may be open at once.
local MAX_QUESTIONS = 100;

-- RFC 7518 §3.2: a key is at least as long as the hash.
local HMAC_KEY_BYTES = { HS256 = 32; HS384 = 48; HS512 = 64 };
-- The shortest SubjectPublicKeyInfo of an RSA key of 2048 bits (RFC 7518 §3.3), less what may vary.
local RSA_KEY_BYTES = 270;
-- The object identifier of the curve P-256 as it stands in a key (RFC 5480 §2.1.1.1).
local P256 = "\6\8\42\134\72\206\61\3\1\7";

-- Why a token or password is refused: the SASL condition (RFC 6120 §6.5) and a text. The client reads the text, so it
-- says nothing that the holder of the token does not know.
local REFUSALS = {
	["account-disabled"] = { "account-disabled", "This account is disabled." };
	["audience"] = { "not-authorized", "The token is for another audience (aud)." };
	["expired"] = { "credentials-expired", "The token has expired (exp)." };
	["extension"] = { "not-authorized", "The token needs an extension that this server does not have (crit)." };
	["issuer"] = { "not-authorized", "The token is from another issuer (iss)." };
	["no-expiry"] = { "not-authorized", "The token has no expiry (exp), or one that is no number." };
	["not-yet-valid"] = { "not-authorized", "The token is not valid yet (nbf, iat)." };
	["signature"] = { "not-authorized", "No key of this server verifies the token." };
	["site"] = { "temporary-auth-failure", "The site that verifies logins gave no usable answer." };
	["site-said-no"] = { "not-authorized", "The site refuses this login." };
	["too-long"] = { "not-authorized", "The token is too long." };
	["too-long-for-plain"] = { "not-authorized",
		("The token is longer than the %d bytes that PLAIN takes here."):format(MAX_PLAIN) };
	["user"] = { "not-authorized", "The token is for another user (jid)." };
};

-- ---- Options and keys: read at the start, and again when Prosody reloads its configuration.

local settings;

-- The host names that lead to this machine without a network.
local LOOPBACK = { ["localhost"] = true; ["127.0.0.1"] = true; ["::1"] = true; ["[::1]"] = true };

local function read_file(path)
	local file, err = io.open(path, "rb");
	if not file then error(err, 0); end
	local text = file:read(MAX_KEY_FILE + 1);
	file:close();
	if not text then error("it cannot be read, or is empty", 0); end
	if #text > MAX_KEY_FILE then error(("it has more than %d bytes"):format(MAX_KEY_FILE), 0); end
	return text;
end

local function base64url_decode(text)
	return base64.decode((text:gsub("[-_]", { ["-"] = "+"; ["_"] = "/" })) .. ("="):rep(-#text % 4));
end

-- A function that returns the claims of a token if this key signed it by this algorithm. The algorithm is the key's:
-- what the token says about it can only make the verification fail.
local function verifier(algorithm, key)
	if jwt.new_verifier then
		-- Dates are checked below, with an exp that has to be there.
		local verify = jwt.new_verifier(algorithm, key, { accept_expired = true });
		return function (token)
			local ok, claims = verify(token);
			return ok and claims;
		end
	end
	if algorithm ~= "HS256" then error("this Prosody verifies HS256 only; Prosody 13 verifies "..algorithm, 0); end
	return function (token)
		local ok, claims = jwt.verify(key, token);
		return ok and claims;
	end
end

-- A key of RFC 7517 with `kty` oct. `alg` says which HMAC it is for, by default HS256.
local function verifier_of_jwk(key)
	if type(key) ~= "table" or key.kty ~= "oct" or type(key.k) ~= "string" then
		error("only keys with \"kty\": \"oct\" may be JWK; write a public key as PEM", 0);
	end
	local algorithm = key.alg or "HS256";
	local least = HMAC_KEY_BYTES[algorithm];
	if not least then error("\"alg\" is none of HS256, HS384, HS512", 0); end
	local secret = base64url_decode(key.k);
	if not secret then error("\"k\" is not base64url", 0); end
	if #secret < least then error(("%s needs a key of %d bytes or more"):format(algorithm, least), 0); end
	return verifier(algorithm, secret);
end

local function verifier_of_pem(text)
	if text:find("PRIVATE KEY", 1, true) then
		error("it holds a private key: leave that at the site, and put the public key here", 0);
	end
	if not has_crypto then error("this Prosody verifies HS256 only: give a JWK with \"kty\": \"oct\"", 0); end
	local body = text:match("%-%-%-%-%-BEGIN PUBLIC KEY%-%-%-%-%-%s+([%w+/=%s]+)%-%-%-%-%-END PUBLIC KEY%-%-%-%-%-");
	if not body then error("it holds no public key; one begins with -----BEGIN PUBLIC KEY-----", 0); end
	local der = base64.decode((body:gsub("%s", ""))) or "";
	local key = crypto.import_public_pem(text);
	local kind = key and key:get_type();
	if kind == "rsaEncryption" then
		if #der < RSA_KEY_BYTES then error("an RSA key has 2048 bits or more", 0); end
		return verifier("RS256", text);
	elseif kind == "id-ecPublicKey" and der:find(P256, 1, true) then
		return verifier("ES256", text);
	end
	error("it holds neither an RSA key nor one for the curve P-256", 0);
end

-- What a file holds: a public key as PEM, a JWK, or a set of JWK (RFC 7517 §5).
local function parse_keys(text)
	if text:find("-----BEGIN", 1, true) then return { { verifier_of_pem, text } }; end
	local ok, parsed = pcall(json.decode, text);
	if not ok or type(parsed) ~= "table" then error("it is neither JSON nor PEM", 0); end
	local found = {};
	for _, key in ipairs(type(parsed.keys) == "table" and parsed.keys or { parsed }) do
		table.insert(found, { verifier_of_jwk, key });
	end
	return found;
end

-- The key files that the option names, those in its folders by their names.
local function key_files()
	local files = {};
	for _, name in ipairs(module:get_option_array("prebind_keys", {})) do
		local path = resolve_relative_path(prosody.paths.config, tostring(name));
		if lfs.attributes(path, "mode") == "directory" then
			local names = {};
			local ok, err = pcall(function ()
				for entry in lfs.dir(path) do
					if entry:match("^[^.].*%.jwk$") or entry:match("^[^.].*%.json$") or entry:match("^[^.].*%.pem$") then
						table.insert(names, path.."/"..entry);
					end
				end
			end);
			if not ok then module:log("error", "The folder of keys %s cannot be read: %s", path, err); end
			table.sort(names);
			for _, file in ipairs(names) do table.insert(files, file); end
		else
			table.insert(files, path);
		end
	end
	return files;
end

-- The verifiers of all keys. One that cannot be used leaves the others as they are.
local function load_keys()
	local verifiers = {};
	local function try(path, f, ...)
		local ok, result = pcall(f, ...);
		if ok then return result; end
		module:log("error", "A key in %s is ignored: %s", path, tostring(result));
	end
	for _, path in ipairs(key_files()) do
		local text = try(path, read_file, path);
		for _, key in ipairs(text and try(path, parse_keys, text) or {}) do
			if #verifiers == MAX_KEYS then
				module:log("error", "A key in %s is ignored: there are more than %d", path, MAX_KEYS);
			else
				verifiers[#verifiers + 1] = try(path, key[1], key[2]);
			end
		end
	end
	return verifiers;
end

-- The site's address, if it may be asked there.
local function site_url()
	local url = module:get_option_string("prebind_site_url");
	if not url then return nil; end
	local parsed = url_parse(url) or {};
	local is_http = parsed.scheme == "http" and parsed.host;
	local is_private = parsed.scheme == "https" and parsed.host or is_http and LOOPBACK[parsed.host:lower()];
	if module:get_option_string("prebind_site_secret", ""):find("^[\33-\126]+$") == nil then
		module:log("error", "The site is not asked: prebind_site_secret must be a text of visible ASCII characters");
	elseif parsed.userinfo or not (is_private or is_http) then
		module:log("error", "The site is not asked: prebind_site_url must be like https://www.example.org/chat-login");
	elseif not is_private and not module:get_option_boolean("prebind_allow_cleartext", false) then
		module:log("error", "The site is not asked: prebind_site_url leads over the network by http; use https, "
			.."or set prebind_allow_cleartext if nobody can read that network");
	else
		return url;
	end
end

local function load_settings()
	settings = {
		verifies = module:get_option("prebind_keys") ~= nil;
		keys = load_keys();
		audience = {};
		issuer = module:get_option_string("prebind_issuer");
		max_token = module:get_option_number("prebind_max_token", 8192) or 8192;
		creates_accounts = module:get_option_boolean("prebind_create_accounts", false);
		offers_scram = module:get_option_boolean("prebind_scram", false);
		site_url = site_url();
		site_secret = module:get_option_string("prebind_site_secret");
		site_timeout = module:get_option_number("prebind_site_timeout", 3) or 3;
	};
	for _, name in ipairs(module:get_option_array("prebind_audience", {})) do settings.audience[tostring(name)] = true; end
	if #settings.keys > 0 or settings.site_url then
		module:log("info", "Tokens are verified with %d keys%s", #settings.keys,
			settings.site_url and ", and the site is asked" or "");
	else
		module:log("error", "Nobody can log in with a token: set prebind_keys or prebind_site_url");
	end
end

load_settings();
module:hook_global("config-reloaded", load_settings);

-- ---- Tokens

-- The header of a token, or nil if the text is a password: `a.b.c` may be either.
local function header_of(text)
	local encoded = text:match("^([%w_-]+)%.[%w_-]*%.[%w_-]*$");
	local decoded = encoded and #encoded <= MAX_HEADER and base64url_decode(encoded);
	local ok, header = pcall(json.decode, decoded or "");
	return ok and type(header) == "table" and type(header.alg) == "string" and header or nil;
end

local function signed_claims(token)
	for _, verify in ipairs(settings.keys) do
		local claims = verify(token);
		if type(claims) == "table" then return claims; end
	end
end

-- A token whose exp is infinite would never expire.
local function is_time(value)
	return type(value) == "number" and value > -math.huge and value < math.huge;
end

local function is_time_before(value, limit)
	return value == nil or is_time(value) and value <= limit;
end

-- RFC 7519 §4.1.3: a token that names an audience is for that audience alone. So it is refused here unless
-- prebind_audience has one of those that it names.
local function is_for_us(audience)
	if audience == nil then return next(settings.audience) == nil; end
	for _, name in ipairs(type(audience) == "table" and audience or { audience }) do
		if settings.audience[name] then return true; end
	end
	return false;
end

-- The name of the user whom a token is for, or nil and why it is refused.
local function user_of_token(token, header)
	if #token > settings.max_token then return nil, "too-long"; end
	-- RFC 7515 §4.1.11: a token with an unknown extension must be refused.
	if header.crit ~= nil then return nil, "extension"; end
	local claims = signed_claims(token);
	if not claims then return nil, "signature"; end
	local now = os.time();
	if not is_time(claims.exp) then return nil, "no-expiry"; end
	if claims.exp <= now then return nil, "expired"; end
	if not (is_time_before(claims.nbf, now + LEEWAY) and is_time_before(claims.iat, now + LEEWAY)) then
		return nil, "not-yet-valid";
	end
	if not is_for_us(claims.aud) then return nil, "audience"; end
	if settings.issuer and claims.iss ~= settings.issuer then return nil, "issuer"; end
	local user, host;
	if type(claims.jid) == "string" then user, host = jid.prepped_split(claims.jid); end
	if not user or host ~= module.host then return nil, "user"; end
	return user;
end

-- ---- Accounts

local fallback = module:get_option_string("prebind_fallback", "internal_hashed");
module:depends("auth_"..fallback);

local accounts;
for _, item in ipairs(module:get_host_items("auth-provider")) do
	if item.name == fallback then accounts = item; end
end
if not accounts then error("prebind_fallback: mod_auth_"..fallback.." keeps no accounts"); end

-- Without an account, messages to a user who is offline bounce, and a user's archive stays empty.
local function make_account(username)
	if not settings.creates_accounts or accounts.user_exists(username) then return; end
	-- A password that nobody knows. Prosody 13 would disable an account without one.
	local ok, err = accounts.create_user(username, base64.encode(random.bytes(24)));
	if ok then
		module:log("info", "Made the account of %s at the first login with a token", username);
	else
		module:log("error", "The account of %s could not be made: %s", username, tostring(err));
	end
end

-- ---- The site

-- A client of our own, so that its limit applies to no other module.
local client = http.default:new({ suppress_errors = true });
client.events.add_handler("pre-request", function (event)
	event.request.body_size_limit = MAX_ANSWER;
end);

local open_questions = 0;

-- What the site answered: true or false, or nil and what is wrong with it. Without a status, the body is why there
-- was no answer.
local function read_answer(body, status, response)
	if status == 0 then return nil, tostring(body); end
	if status ~= 200 then return nil, ("its status is %d, not 200"):format(status); end
	local content_type = (response.headers["content-type"] or ""):lower();
	if not content_type:match("^application/json%s*$") and not content_type:match("^application/json%s*;") then
		return nil, "its type is not application/json";
	end
	if type(body) ~= "string" or #body > MAX_ANSWER then return nil, "it is too long"; end
	local ok, answer = pcall(json.decode, body);
	if not ok or type(answer) ~= "table" or type(answer.ok) ~= "boolean" then
		return nil, "it is not {\"ok\": true} or {\"ok\": false}";
	end
	return answer.ok;
end

-- Whether the site says that this token is this user's; nil if it does not say. Prosody goes on meanwhile.
local function ask_site(username, token)
	if not async.ready() or open_questions >= MAX_QUESTIONS then
		module:log("warn", "The site is not asked about %s: %d questions are open", username, open_questions);
		return nil;
	end
	open_questions = open_questions + 1;
	local wait, done = async.waiter();
	local is_over, verdict, reason = false, nil, nil;
	local function finish(...)
		if is_over then return; end
		is_over, verdict, reason = true, ...;
		open_questions = open_questions - 1;
		done();
	end
	-- Prosody 0.12 says nothing of a connection that is closed without an answer.
	local timer = module:add_timer(settings.site_timeout, function ()
		finish(nil, ("none came within %s s"):format(settings.site_timeout));
	end);
	local request;
	local is_sent, err = pcall(function ()
		request = client:request(settings.site_url, {
			method = "POST";
			headers = {
				["Accept"] = "application/json";
				["Authorization"] = "Bearer "..settings.site_secret;
				["Content-Type"] = "application/json";
			};
			body = json.encode({ command = "auth"; user = username; host = module.host; password = token });
		}, function (body, status, response) finish(read_answer(body, status, response)); end);
	end);
	if not is_sent then finish(nil, tostring(err)); end
	wait();
	timer:stop();
	-- A site that never answers would keep the connection open.
	if request then http.destroy_request(request); end
	if verdict == nil then
		module:log("warn", "The site gave no usable answer about %s: %s", username, reason);
	end
	return verdict;
end

-- ---- SASL

-- The identity that a first message asks to act for (RFC 4616 §2, RFC 5801 §4).
local function authzid_in(mechanism, message)
	if type(message) ~= "string" then return nil; end
	if mechanism == "PLAIN" then return message:match("^([^\0]+)\0"); end
	local name = message:match("^[npy][^,]*,a=([^,]+),");
	return name and (name:gsub("=2C", ","):gsub("=3D", "="));
end

-- A session's SASL handler. It does what Prosody's own does not: it looks at the authzid, and it says why a token is
-- refused.
local function new_handler(profile, userdata)
	local handler = new_sasl(module.host, profile);
	handler.userdata = userdata;
	local process = handler.process;
	local authzid;

	function handler:process(message)
		authzid = authzid or authzid_in(self.selected, message);
		local status, condition, text = process(self, message);
		if status == "success" and authzid
			and jid.bare(jid.prep(authzid) or "") ~= self.username.."@"..module.host then
			return "failure", "invalid-authzid", "Nobody may act for another user here.";
		elseif status ~= "failure" then
			return status, condition, text;
		end
		local refusal = REFUSALS[self.refusal];
		if condition == "malformed-request" and self.selected == "PLAIN" and #(message or "") > MAX_PLAIN then
			refusal = REFUSALS["too-long-for-plain"];
		end
		if refusal then return status, refusal[1], refusal[2]; end
		if condition == "not-authorized" and self.selected:match("^SCRAM") then
			text = "The password is wrong. If it is a token, use PLAIN: SCRAM cannot verify tokens.";
		end
		return status, condition, text;
	end

	function handler:clean_clone()
		return new_handler(self.profile, self.userdata);
	end

	return handler;
end

-- What the profile's functions return of a token or password that is good.
local function admit(sasl, username)
	if accounts.is_enabled and accounts.is_enabled(username) == false then
		sasl.refusal = "account-disabled";
		return nil;
	end
	make_account(username);
	return username;
end

local function refuse(sasl, username, refusal)
	sasl.refusal = refusal;
	module:log("info", "Refused a token of %s: %s", username or "an unknown user", refusal);
	return nil;
end

-- The user of a JSON Web Token. `username` is what the client says, if its mechanism does.
local function login_by_token(sasl, token, header, username)
	-- Prosody's parser of JSON throws for some texts.
	local ok, user, refusal = pcall(user_of_token, token, header);
	if not ok then user, refusal = nil, "signature"; end
	if not user then return refuse(sasl, username, refusal); end
	if username and user ~= username then return refuse(sasl, username, "user"); end
	return admit(sasl, user);
end

-- The user of a token that only the site can judge.
local function login_by_site(sasl, token, username)
	local verdict = ask_site(username, token);
	if verdict == nil then return refuse(sasl, username, "site"); end
	if not verdict then return refuse(sasl, username, "site-said-no"); end
	return admit(sasl, username);
end

local function profile_for(theirs)
	local profile = {};

	function profile.plain_test(sasl, username, password, realm, ...)
		local header = settings.verifies and header_of(password);
		if header then return login_by_token(sasl, password, header, username) ~= nil, true; end
		-- The accounts are asked first, so that the site sees no password of theirs.
		local ok, state;
		if theirs.plain_test then
			ok, state = theirs.plain_test(sasl, username, password, realm, ...);
		else
			ok, state = accounts.test_password(username, password), true;
		end
		if ok or state == false or not settings.site_url then return ok, state; end
		return login_by_site(sasl, password, username) ~= nil, true;
	end

	if has_oauthbearer then
		function profile.oauthbearer(sasl, token, realm, ...)
			local header = settings.verifies and token and header_of(token);
			if header then
				local username = login_by_token(sasl, token, header, nil);
				return username, username and true, {};
			elseif theirs.oauthbearer then
				return theirs.oauthbearer(sasl, token, realm, ...);
			end
			return nil, nil, {};
		end
	end

	if settings.offers_scram then
		for name, f in pairs(theirs) do
			if name:match("^scram_") then profile[name] = f; end
		end
	end
	return profile;
end

-- Prosody replaces the metatable of its provider, so the functions of the accounts are copied.
local provider = {};
for name, f in pairs(accounts) do
	if type(f) == "function" then provider[name] = f; end
end

function provider.get_sasl_handler(session)
	return new_handler(profile_for(accounts.get_sasl_handler(session).profile));
end

module:provides("auth", provider);
