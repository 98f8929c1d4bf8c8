//! What the linker must know.

fn main() {
    // PHP unloads its extensions before the process ends, and a thread that still looks a name up
    // would run on in nothing.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
