// The users that a site must know: their names and passwords there, and their chat accounts.

const domain = "localhost";

// `accounts` maps the names on the chat server to passwords. The site's passwords are different, so that a
// chat password in the browser can only have come from the server.
export function people(accounts) {
  return Object.fromEntries(
    Object.entries(accounts).map(([name, xmppPassword]) => [
      name,
      { password: `site-of-${name}`, jid: `${name}@${domain}`, xmpp_password: xmppPassword },
    ]),
  );
}
