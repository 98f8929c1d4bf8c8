//! Enums whose values have fixed texts, and the check for text that XML allows.

/// Implements `Display` by the enum's `as_str`.
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

/// Declares a small enum whose values have fixed names, which are the same in every language.
macro_rules! named {
    ($(#[$meta:meta])* $enum:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $enum { $($(#[$variant_doc])* $variant,)+ }

        impl $enum {
            /// All values, in order.
            pub const ALL: [Self; Self::NAMES.len()] = [$(Self::$variant,)+];

            pub(crate) const NAMES: &[&str] = &[$($name,)+];

            /// The name of the value, which is the same in every language.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                Self::NAMES[self as usize]
            }
        }
    };
}

pub(crate) use named;

/// Whether XML 1.0 allows every character of the text (§2.2).
pub(crate) fn is_xml_text(text: &str) -> bool {
    // Nearly all text is plain ASCII. The loop never ends early, so that the compiler can check many bytes at
    // once.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    text.bytes().fold(true, |so_far, byte| so_far & is_plain(byte))
        || rxml_validation::validate_cdata(text).is_ok()
}
