//! Writes the code for a language: `uniffi-bindgen generate --language kotlin --out-dir DIR LIBRARY`.

fn main() {
    uniffi::uniffi_bindgen_main();
}
