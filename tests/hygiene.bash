# Sourced by tests/run: what is looked for in all files.
# shellcheck shell=bash disable=SC2034,SC2154 # what the files have in common

top_is_tidy() {
    local allowed='\.cargo \.ci \.clippy\.toml \.gitignore \.rustfmt\.toml Cargo\.lock Cargo\.toml
        LICENSE-APACHE LICENSE-MIT README\.md bindings core examples tests'
    # shellcheck disable=SC2086 # split on purpose
    nothing "$(files | cut -d/ -f1 | sort -u | grep -vxE "$(printf '%s|' $allowed)")"
}

rust_files_are_short() {
    nothing "$(files | grep '\.rs$' | xargs wc -l | awk '$1 > 400 && $2 != "total"')"
}

# Only the workspace has a version, and its path dependencies have the same. 0.0.0 is none. Maven's files
# have to repeat it.
version_is_one() {
    local version
    version=$(sed -nE 's/^version = "(.*)"$/\1/p' Cargo.toml)
    nothing "$(files | grep '/Cargo\.toml$' | xargs grep -nE '^version *=' | grep -vF '"0.0.0"')" &&
        nothing "$(grep -nE 'path = .*version' Cargo.toml | grep -vF "version = \"$version\"")" &&
        nothing "$(files | grep -E '/pom\.xml$|README\.md$' | xargs grep -A4 '<artifactId>prebind</artifactId>' |
            grep '<version>' | grep -vF "<version>$version</version>")"
}

work_is_done() {
    nothing "$(files | grep -vxE 'Cargo.lock|LICENSE.*' |
        xargs grep -nE '\b([T]ODO|[F]IXME)\b|\b([t]odo|[u]nimplemented|[d]bg)!')"
}

paths_are_portable() {
    nothing "$(files | grep -vxF Cargo.lock | xargs grep -nE '(^|[^[:alnum:]_.}~-])/(work|root|home)/')"
}

lock_is_current() {
    cargo metadata --quiet --locked --format-version 1 >"$logs/metadata.json" &&
        cargo metadata --quiet --locked --format-version 1 --manifest-path core/fuzz/Cargo.toml \
            >"$logs/metadata.json"
}
