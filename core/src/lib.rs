//! Opens an authenticated BOSH session.
