//! The description of running servers for people to read.

use std::fmt::Write as _;

use servers::Info;

pub(crate) fn text<'a>(servers: impl Iterator<Item = &'a Info>) -> String {
    let mut text = String::new();
    for server in servers {
        // Writing to a string cannot fail.
        let _ = describe(&mut text, server);
    }
    text + "Close the input (Ctrl-D) or press Ctrl-C to stop.\n"
}

fn describe(text: &mut String, server: &Info) -> std::fmt::Result {
    writeln!(text, "{} (process {})", server.kind, server.pid)?;
    writeln!(text, "  http         {}", server.http_url)?;
    writeln!(text, "  https        {}", server.https_url)?;
    writeln!(text, "  CA           {}", server.ca_pem.display())?;
    writeln!(text, "  client cert  {}", server.client_cert.display())?;
    writeln!(text, "  client key   {}", server.client_key.display())?;
    for (user, password) in &server.accounts {
        writeln!(text, "  account      {user} {password}")?;
    }
    for (host, mechanisms) in &server.hosts {
        writeln!(text, "  host         {host:<16} {}", mechanisms.join(" "))?;
    }
    for (jid, token) in &server.tokens {
        writeln!(text, "  token        {jid} {token}")?;
    }
    writeln!(text)
}
