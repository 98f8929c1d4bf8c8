//! What an operator writes into the configuration of ejabberd, and of the proxy in front of it.

/// The lines for a virtual host of ejabberd that runs this command (YAML), and for the proxy (comments).
///
/// ejabberd hands the command to a shell, so it is one line for a shell.
#[must_use]
pub fn setup(host: &str, command: &str) -> String {
    // A text in JSON is one in YAML.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    include_str!("setup.yml").replace("@HOST@", &quoted(host)).replace("@COMMAND@", &quoted(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted() {
        let text = setup("example.org", r#"prebind extauth --key "/etc/a key""#);
        assert!(text.contains("\n  \"example.org\":\n"), "{text}");
        assert!(text.contains(r#"extauth_program: "prebind extauth --key \"/etc/a key\"""#), "{text}");
        assert!(!text.contains('@'), "{text}");
    }
}
