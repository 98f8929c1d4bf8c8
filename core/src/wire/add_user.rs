//! The command that adds a user (XEP-0133 §4.1, by XEP-0050).

use quick_xml::escape::escape;

use super::ns::CLIENT;
use super::xml::Element;
use crate::jid::Jid;
use crate::secret::Secret;

const COMMANDS: &str = "http://jabber.org/protocol/commands";
const FORM: &str = "jabber:x:data";
const NODE: &str = "http://jabber.org/protocol/admin#add-user";

/// The `id` of both requests, of which one is open at a time.
const ID: &str = "add-user";

/// What Prosody says of a user who is there: there is no other sign of it.
const IS_THERE: &str = "Account already exists";

/// What the server says to a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The form is to be filled in, in the command of this ID.
    Form(Secret),
    /// The user is there now.
    Added,
    /// The user was there before.
    IsThere,
    /// The command did not succeed, for this reason: a note for people, or the condition of an error.
    Refused(String),
}

/// Begins the command at the user's server.
pub(crate) fn begin(jid: &Jid) -> Secret {
    command(jid, "execute", "", "")
}

/// Fills in the form.
pub(crate) fn fill_in(jid: &Jid, command_id: &Secret, password: &Secret) -> Secret {
    let field =
        |name: &str, value: &str| format!("<field var=\"{name}\"><value>{}</value></field>", escape(value));
    let account = jid.bare().to_string();
    let fields = [
        field("FORM_TYPE", "http://jabber.org/protocol/admin"),
        field("accountjid", &account),
        field("password", password.expose()),
        field("password-verify", password.expose()),
    ];
    let form = format!("<x xmlns=\"{FORM}\" type=\"submit\">{}</x>", fields.concat());
    let id = format!(" sessionid=\"{}\"", escape(command_id.expose()));
    command(jid, "complete", &id, &form)
}

fn command(jid: &Jid, action: &str, id: &str, form: &str) -> Secret {
    let domain = escape(jid.domain());
    [
        &format!("<iq xmlns=\"{CLIENT}\" id=\"{ID}\" to=\"{domain}\" type=\"set\">"),
        &format!("<command xmlns=\"{COMMANDS}\" action=\"{action}\" node=\"{NODE}\"{id}>"),
        form,
        "</command></iq>",
    ]
    .concat()
    .into()
}

/// What one of these elements answers, if one does.
pub(crate) fn answer(payload: &[Element]) -> Option<Answer> {
    let is_answer = |iq: &&Element| iq.is(CLIENT, "iq") && iq.attribute("id") == Some(ID);
    payload.iter().find(is_answer).map(read)
}

fn read(iq: &Element) -> Answer {
    let refused = |reason: &str| Answer::Refused(reason.to_owned());
    let Some(command) = iq.child(COMMANDS, "command").filter(|_| iq.attribute("type") == Some("result"))
    else {
        let error = iq.children.iter().find(|child| child.name == "error");
        let condition = error.and_then(|error| error.condition_in(super::ns::STANZAS).0);
        return refused(condition.unwrap_or("undefined-condition"));
    };
    let note = command.child(COMMANDS, "note");
    let is_error = note.is_some_and(|note| note.attribute("type") == Some("error"));
    let said = note.map_or("", |note| note.text.trim());
    match (command.attribute("status"), command.attribute("sessionid")) {
        _ if said == IS_THERE => Answer::IsThere,
        (Some("completed"), _) if !is_error => Answer::Added,
        (Some("executing"), Some(id)) if command.child(FORM, "x").is_some() => Answer::Form(id.into()),
        _ => refused(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(inner: &str) -> Option<Answer> {
        let body = format!(
            "<body xmlns='http://jabber.org/protocol/httpbind'><presence xmlns='jabber:client'/>{inner}</body>"
        );
        answer(&Element::parse(body.as_bytes()).unwrap().children)
    }

    fn command(attributes: &str, inner: &str) -> Option<Answer> {
        answered(&format!(
            "<iq xmlns='jabber:client' type='result' id='add-user'><command xmlns='{COMMANDS}' node='{NODE}' {attributes}>{inner}</command></iq>"
        ))
    }

    #[test]
    fn the_form_is_filled_in_for_the_bare_jid() {
        let jid = Jid::new("a\\27b@example.org/web").unwrap();
        assert_eq!(
            begin(&jid).expose(),
            "<iq xmlns=\"jabber:client\" id=\"add-user\" to=\"example.org\" type=\"set\"><command \
             xmlns=\"http://jabber.org/protocol/commands\" action=\"execute\" \
             node=\"http://jabber.org/protocol/admin#add-user\"></command></iq>"
        );
        let filled_in = fill_in(&jid, &"x\"y".into(), &"<p>".into());
        let filled_in = Element::parse(filled_in.expose().as_bytes()).unwrap();
        let command = filled_in.child(COMMANDS, "command").unwrap();
        assert_eq!(command.attribute("sessionid"), Some("x\"y"));
        let form = command.child(FORM, "x").unwrap();
        let values = form.children.iter().map(|field| field.child(FORM, "value").unwrap().text.as_str());
        assert_eq!(
            values.collect::<Vec<_>>(),
            ["http://jabber.org/protocol/admin", "a\\27b@example.org", "<p>", "<p>"]
        );
    }

    /// As Prosody 0.12 answers.
    #[test]
    fn what_has_come_of_it_is_told_by_status_and_note() {
        let form = "<x xmlns='jabber:x:data' type='form'/>";
        let note = |kind: &str, text: &str| format!("<note type='{kind}'>{text}</note>");
        assert_eq!(command("status='executing' sessionid='a'", form), Some(Answer::Form("a".into())));
        let done = note("info", "Account successfully created");
        assert_eq!(command("status='completed' sessionid='a'", &done), Some(Answer::Added));
        let there = note("error", "Account already exists");
        assert_eq!(command("status='completed' sessionid='a'", &there), Some(Answer::IsThere));
        for (attributes, inner, reason) in [
            ("status='completed'", note("error", "Something"), "Something"),
            ("status='canceled'", note("info", ""), ""),
            ("status='executing' sessionid='a'", String::new(), ""),
            ("status='executing'", form.to_owned(), ""),
        ] {
            assert_eq!(command(attributes, &inner), Some(Answer::Refused(reason.to_owned())));
        }
        let error = "<iq xmlns='jabber:client' type='error' id='add-user'><error type='auth'><forbidden \
                     xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";
        assert_eq!(answered(error), Some(Answer::Refused("forbidden".to_owned())));
        assert_eq!(answered("<iq xmlns='jabber:client' type='result' id='another'/>"), None);
    }
}
