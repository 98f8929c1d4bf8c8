//! Guides: the pages of the folder `core/docs`.
//!
//! | you want to | page |
//! |---|---|
//! | install a chat server | [`chat_server`] |
//! | let browsers reach it | [`reverse_proxies`] |
//! | choose what your site logs in with | [`sign_in`], [`credentials`] |
//! | have each user get a chat account | [`accounts`] |
//! | use another client than Converse.js | [`clients`] |
//! | mend a chat that does not work | [`troubleshooting`], [`errors`] |
//! | find a short answer | [`questions`] |
//! | know what an attacker gets | [`security`] |
//! | serve many users, or have several chat servers | [`scale`] |
//! | leave an older library | [`migrating`] |
//! | understand the exchange | [`how_it_works`] |
//! | see what is tested | [`tested`] |
//!
//! # In the repository
//!
//! These pages lead to others, which are not part of this crate:
//!
//! | file of the repository | |
//! |---|---|
//! | `README.md` | each framework in five minutes |
//! | `bindings/python/django.md` `bindings/ruby/rails.md` `bindings/php/sites.md` `bindings/uniffi/README.md` | the frameworks |
//! | `bindings/web/README.md` | the page and the site's endpoint |
//! | `bindings/cli/README.md` | the command `prebind`, and `prebind extauth` for ejabberd |
//! | `bindings/prosody/README.md` | the module for Prosody |
//! | `core/docs` | these pages, and the tables of options, messages and fields |
//! | `tests/load` `tests/bench` | measurements |

#![allow(clippy::doc_markdown, reason = "the pages name programs as people write them")]

// A page defines where its links lead in the repository. The first definition of a link is the one that counts, so
// `guide/links.md`, which stands before the page, sends them to where they lead in this documentation.

/// Declares a page as a module without items.
///
/// The examples of a page need the client, so nobody compiles them without it.
macro_rules! pages {
    ($($name:ident $file:literal)*) => {
        $(
            #[doc = include_str!("guide/links.md")]
            #[doc = include_str!(concat!("../docs/", $file))]
            #[cfg(any(feature = "client", not(doctest)))]
            pub mod $name {}
        )*

        #[cfg(test)]
        const PAGES: &[(&str, &str)] = &[$(($file, include_str!(concat!("../docs/", $file)))),*];
    };
}

pages! {
    accounts "accounts.md"
    chat_server "chat-server.md"
    clients "clients.md"
    credentials "credentials.md"
    errors "errors.md"
    how_it_works "how-it-works.md"
    migrating "migrating.md"
    questions "questions.md"
    reverse_proxies "reverse-proxies.md"
    scale "scale.md"
    security "security.md"
    sign_in "sign-in.md"
    tested "tested.md"
    troubleshooting "troubleshooting.md"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::PAGES;

    const LINKS: &str = include_str!("guide/links.md");

    /// Tables of reference with no page of their own here.
    const TABLES: [&str; 3] = ["messages.md", "options.md", "results.md"];

    /// Names and targets of the links that a text defines.
    fn definitions(text: &str) -> impl Iterator<Item = (&str, &str)> {
        text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: "))
    }

    #[test]
    fn each_page_is_a_module() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
        let files =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let files: BTreeSet<String> = files.filter(|name| !TABLES.contains(&name.as_str())).collect();
        assert_eq!(files, PAGES.iter().map(|(name, _)| (*name).to_owned()).collect());
    }

    #[test]
    fn each_link_into_the_repository_leads_somewhere_in_the_documentation() {
        let known: BTreeSet<&str> = definitions(LINKS).map(|(name, _)| name).collect();
        let mut used = BTreeSet::new();
        for (page, text) in PAGES {
            for (name, target) in definitions(text).filter(|(_, target)| !target.contains("://")) {
                assert!(
                    known.contains(name),
                    "{page}: define [{name}] in guide/links.md; here it is {target}"
                );
                used.insert(name);
            }
            // Written in the line itself, a link would lead nowhere in the documentation.
            let written: Vec<&str> =
                text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
            let is_fine = |target: &str| target.starts_with('#') || target.contains("://");
            assert!(written.iter().all(|target| is_fine(target)), "{page}: {written:?}");
        }
        assert_eq!(known, used);
    }

    #[test]
    fn the_messages_among_the_symptoms_are_those_of_the_library() {
        let messages = include_str!("../docs/messages.md").replace('`', "");
        let (_, page) = PAGES.iter().find(|(name, _)| *name == "troubleshooting.md").unwrap();
        let quoted = page.split('`').skip(1).step_by(2).filter(|text| text.contains('…'));
        let pieces: Vec<&str> = quoted.flat_map(|text| text.split('…')).map(str::trim).collect();
        assert!(pieces.len() > 10, "{pieces:?}");
        for piece in pieces {
            assert!(messages.contains(piece), "no message has: {piece}");
        }
    }
}
