# Sourced from the workspace's root, by every script that builds.
# shellcheck shell=bash

# Makes sure of a Rust toolchain that is new enough, or says how to get one.
require_rust() {
    # Where rustup puts it; a shell that was open before does not know yet.
    PATH=$PATH:${CARGO_HOME:-${HOME-}/.cargo}/bin
    local needed
    needed=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
    if is_rust_at_least "$needed"; then
        return
    fi
    if ! command -v rustup >/dev/null; then
        echo "Rust $needed or newer is needed, and is not here: install it as https://rustup.rs says, then run this again." >&2
        return 1
    fi
    echo "installing the stable Rust toolchain (rustup)"
    rustup toolchain install stable --profile minimal --no-self-update
    export RUSTUP_TOOLCHAIN=stable
    if ! is_rust_at_least "$needed"; then
        echo "Rust $needed or newer is needed; rustup's stable is older." >&2
        return 1
    fi
}

is_rust_at_least() {
    local version
    version=$(rust_version) && command -v cargo >/dev/null &&
        printf '%s\n' "$1" "$version" | sort --version-sort --check=quiet
}

rust_version() {
    local words
    words=$(rustc --version 2>/dev/null) && words=${words#rustc } && echo "${words%% *}"
}
