// The users that a site must know: how they sign in there, and who they are in the chat.

const domain = "localhost";

// `accounts` is what the chat server has: name to password. The site's passwords are others, so
// that a chat password which turns up in the browser can only have come from the server.
export function people(accounts) {
  return Object.fromEntries(
    Object.entries(accounts).map(([name, xmppPassword]) => [
      name,
      { password: `site-of-${name}`, jid: `${name}@${domain}`, xmpp_password: xmppPassword },
    ]),
  );
}
