//! Text: enums whose values have a text of their own, and what text XML allows.

/// `Display` by the enum's `as_str`.
macro_rules! shown {
    ($enum:ty) => {
        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(crate) use shown;

/// Declares a small enum whose values have a fixed name each, the same in every language.
macro_rules! named {
    ($(#[$meta:meta])* $enum:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $enum { $($(#[$variant_doc])* $variant,)+ }

        impl $enum {
            /// Each of them, in their order.
            pub const ALL: [Self; Self::NAMES.len()] = [$(Self::$variant,)+];

            pub(crate) const NAMES: &[&str] = &[$($name,)+];

            /// Its name, the same in every language.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                Self::NAMES[self as usize]
            }
        }
    };
}

pub(crate) use named;

/// Whether every character may stand in XML 1.0 (§2.2).
pub(crate) fn is_xml_text(text: &str) -> bool {
    // Nearly all text is plain ASCII. No byte ends the search, so that many are looked at at once.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    text.bytes().fold(true, |so_far, byte| so_far & is_plain(byte))
        || rxml_validation::validate_cdata(text).is_ok()
}
