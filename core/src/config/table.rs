//! The macros that turn the table of options into the fields of the configuration, the methods that set them,
//! and a row for each option's name.

/// A line of the table has the field, its type and its default; the values that it accepts, and what it does,
/// in one sentence; then the method that sets it and, if it may refuse a value, the function that checks it.
/// The comment above a line is added to the method's documentation.
macro_rules! options {
    ($(
        $(#[doc = $more:literal])*
        $field:ident: $type:ty = $default:expr, $takes:expr, $about:literal, $with:ident $(by $check:ident)?;
    )+) => {
        /// How to reach one chat service, how far to trust it and how long to wait for it.
        ///
        /// An option that you do not set has its default. The method that sets an option refuses values that
        /// cannot work. Certificates, headers and the proxy's address are only checked by
        /// [`Client::new`](crate::Client::new).
        ///
        /// ```
        /// # use std::time::Duration;
        /// let config = prebind::Config::new("https://chat.example.org/http-bind")?
        ///     .with_deadline(Duration::from_secs(3))?
        ///     .with_fast_tokens(true);
        /// # Ok::<(), prebind::Error>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(clippy::struct_excessive_bools, reason = "each is an option by itself")]
        pub struct Config {
            pub(crate) url: BoshUrl,
            $(pub(crate) $field: $type,)+
        }

        impl Config {
            /// A configuration with the defaults, for the BOSH endpoint at `url`.
            ///
            /// # Errors
            /// `Config` if the URL is not http or https, has no host, or holds a user name or password.
            pub fn new(url: &str) -> Result<Self> {
                Ok(Self { url: BoshUrl::new(url)?, $($field: $default,)+ })
            }

            $(setter! { [$($more)*] $field: $type = $default, $takes, $about, $with $($check)? })+
        }

        /// Every option but the URL, in the order of the table.
        pub(crate) static OPTIONS: &[Row] = &[$(Row {
            name: stringify!($field),
            takes: $takes,
            is_optional: <$type as Field>::IS_OPTIONAL,
            is_secret: <$type as Field>::IS_SECRET,
            about: $about,
            set: |config, given| {
                let value = <$type>::from_given(given)?;
                $($check(given.name, given.takes, value.to_value())?;)?
                config.$field = value;
                Ok(())
            },
            value: |config| config.$field.to_value(),
        }),+];
    };
}

macro_rules! setter {
    ([$($more:literal)*] $field:ident: $type:ty = $default:expr, $takes:expr, $about:literal, $with:ident) => {
        #[doc = $about]
        #[doc = ""]
        $(#[doc = $more])*
        #[doc = ""]
        #[doc = concat!("Default `", stringify!($default), "`.")]
        #[must_use]
        pub fn $with(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
    };
    ([$($more:literal)*] $field:ident: $type:ty = $default:expr, $takes:expr, $about:literal, $with:ident $check:ident) => {
        #[doc = $about]
        #[doc = ""]
        $(#[doc = $more])*
        #[doc = ""]
        #[doc = concat!("Default `", stringify!($default), "`.")]
        ///
        /// # Errors
        /// `Config`, with the option's name, if the value cannot be used.
        pub fn $with(mut self, $field: $type) -> Result<Self> {
            $check(stringify!($field), &$takes, $field.to_value())?;
            self.$field = $field;
            Ok(self)
        }
    };
}

pub(super) use {options, setter};
