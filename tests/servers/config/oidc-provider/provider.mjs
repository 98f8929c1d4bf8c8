// An identity provider with its own pages: sign in there as anyone, with any password.
//
// Each client's access tokens are for one audience, as `clients` says. Those for no audience are opaque, and good at the
// provider's own endpoint for user information alone.
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Provider } from "@INSTALLED@/node_modules/oidc-provider/lib/index.js";
import { createLocalJWKSet, jwtVerify } from "@INSTALLED@/node_modules/jose/dist/webapi/index.js";

const port = @PORT@;
const issuer = `http://127.0.0.1:${port}`;
const audiences = @CLIENTS@;

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const named = { kid: "of-the-provider", alg: "RS256", use: "sig" };
const published = { keys: [{ ...publicKey.export({ format: "jwk" }), ...named }] };
// For a server that takes its key from a file.
writeFileSync("provider.pem", publicKey.export({ format: "pem", type: "spki" }));

const claimsOf = (sub) => ({
  sub,
  name: sub,
  preferred_username: sub,
  email: `${sub}@example.org`,
  email_verified: true,
});

const provider = new Provider(issuer, {
  clients: Object.keys(audiences).map((id) => ({
    client_id: id,
    client_secret: `secret-of-${id}`,
    redirect_uris: ["http://127.0.0.1/"],
    grant_types: ["authorization_code", "refresh_token"],
  })),
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), ...named }] },
  cookies: { keys: ["only for tests"] },
  scopes: ["openid", "offline_access", "profile", "email"],
  claims: {
    openid: ["sub"],
    profile: ["name", "preferred_username"],
    email: ["email", "email_verified"],
  },
  // The ID token has the claims of the scopes, as with most providers.
  conformIdTokenClaims: false,
  findAccount: (_, sub) => ({ accountId: sub, claims: () => claimsOf(sub) }),
  // What a chat server takes the user from.
  extraTokenClaims: (_, { accountId }) => ({
    jid: `${accountId}@@HOST@`,
    preferred_username: accountId,
  }),
  issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
  rotateRefreshToken: true,
  pkce: { required: () => false },
  ttl: { AccessToken: 3600, Grant: 3600, IdToken: 3600, Interaction: 3600, RefreshToken: 3600, Session: 3600 },
  features: {
    resourceIndicators: {
      enabled: true,
      defaultResource: (_, { clientId }) => audiences[clientId] && `urn:${audiences[clientId]}`,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({
        scope: "openid profile email",
        audience: resource.slice("urn:".length),
        accessTokenTTL: 3600,
        accessTokenFormat: "jwt",
      }),
    },
  },
});

// Sites listen on any port.
provider.Client.prototype.redirectUriAllowed = (uri) => uri.startsWith("http://127.0.0.1:");

// oidc-provider tells nothing about a user to the holder of a token for another audience. Other providers do.
const keys = createLocalJWKSet(published);
provider.use(async (context, next) => {
  const [, token] = /^Bearer (.*\..*\..*)$/.exec(context.headers.authorization ?? "") ?? [];
  if (context.path !== "/me" || !token) return next();
  const { payload } = await jwtVerify(token, keys, { issuer });
  context.body = claimsOf(payload.sub);
});

provider.listen(port, "127.0.0.1");
