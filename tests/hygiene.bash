# Sourced by tests/run: what is looked for in all files.
# shellcheck shell=bash disable=SC2034,SC2154 # what the files have in common

git_knows_the_files() {
    # Not `-q`, which ends before all is written.
    files | grep -x Cargo.toml
}

# Every script that has to do for a shell.
shell_scripts() {
    files | grep '\.\(ba\)\?sh$'
    files | grep -v '\.\(ba\)\?sh$' | xargs grep -nsIE '^#!.*\b(ba|da)?sh$' | sed -n 's/:1:#!.*//p'
}

top_is_tidy() {
    local allowed='\.cargo \.ci \.clippy\.toml \.github \.gitignore \.rustfmt\.toml Cargo\.lock Cargo\.toml
        CHANGELOG\.md CONTRIBUTING\.md composer\.json LICENSE-APACHE LICENSE-MIT README\.md SECURITY\.md
        bindings core examples tests'
    # shellcheck disable=SC2086 # split on purpose
    nothing top_beside "$(printf '%s|' $allowed)"
}

# top_beside PATTERN: what the top level holds besides that.
top_beside() {
    files | cut -d/ -f1 | sort -u | matches -vxE "$1"
}

# Only the workspace has a version, and its path dependencies have the same. 0.0.0 is none. Maven's files
# have to repeat it.
version_is_one() {
    local version
    version=$(sed -nE 's/^version = "(.*)"$/\1/p' Cargo.toml)
    [[ $version ]]
    nothing versions_of_packages
    nothing versions_of_dependencies "$version"
    nothing versions_for_maven "$version"
}

versions_of_packages() {
    files | grep '/Cargo\.toml$' | xargs grep -nE '^version *=' | matches -vF '"0.0.0"'
}

versions_of_dependencies() {
    grep -nE 'path = .*version' Cargo.toml | matches -vF "version = \"$1\""
}

versions_for_maven() {
    files | grep -E '/pom\.xml$|README\.md$' | xargs grep -A4 '<artifactId>prebind</artifactId>' |
        grep '<version>' | matches -vF "<version>$1</version>"
}

# The workspace's address is the repository's. Packages that cannot inherit it repeat it. Their addresses of other
# sites are schemas and licences.
address_is_one() {
    local address
    address=$(sed -nE 's/^repository = "(.*)"$/\1/p' Cargo.toml)
    [[ $address ]]
    nothing packages_without_the_address "$address"
    nothing addresses_of_packages "$address"
    nothing crates_without_the_address
}

# manifests_with_addresses: files of other package managers, and of the host of the code.
manifests_with_addresses() {
    files | grep -E '^bindings/.*(/pyproject\.toml|/composer\.json|/pom\.xml)$|^composer\.json$|^\.github/ISSUE_TEMPLATE/'
}

packages_without_the_address() {
    manifests_with_addresses | grep -E 'toml$|json$|xml$|config\.yml$' | xargs grep -LF "$1"
}

addresses_of_packages() {
    manifests_with_addresses | xargs grep -noE 'https?://[^]"<> )]+' |
        matches -vE '://(maven\.apache\.org|www\.w3\.org|opensource\.org|www\.apache\.org)/' |
        matches -vE ":${1//./\\.}(\.git)?(/.*)?\$"
}

# Crates inherit the address.
crates_without_the_address() {
    files | grep -E '^(core|bindings/.*)/Cargo\.toml$' | matches -v '^core/fuzz/' |
        xargs grep -L '^repository\.workspace = true'
}

work_is_done() {
    nothing lines_in_files '\b([T]ODO|[F]IXME)\b|\b([t]odo|[u]nimplemented|[d]bg)!'
}

# Words and phrases that make a sentence hard to understand. Name who does it and what happens, as in "anyone
# with the token can log in" or "a proxy in front"; in place of a password that does not matter, "not-used".
english_is_plain() {
    local words='[Ww]hoever|[Ww]homever|[Ww]hom to|[W]ho (knows|has) (it|them|SID and RID) has|[Ii][s] nobody'
    words+='|[Oo]f no use|[Oo]ut of order|[Mm]eant so|[Aa]s good as any|[Ww]hat it carried|[Ii]n between'
    words+='|[Hh]eed(s|ed|ful|less)?|[Ss]tops to|[Ee]ven so|[Ll]est'
    nothing lines_in_files "\\b($words)\\b|[Ff]or one,"
}

# Each link of these files leads to a file, which has the test or the other name that is the link's text.
documents_are_true() {
    nothing dead_links README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md
    nothing names_not_found SECURITY.md
}

dead_links() {
    local document link
    for document in "$@"; do
        while read -r link; do
            if [[ ! -e $link ]]; then echo "$document: $link"; fi
        done < <(matches -oP '\]\((?!https?:)\K[^)#]+' "$document")
    done
}

# names_not_found FILE: [`NAME`](PATH) without that name in the file that it leads to, or in its path.
# shellcheck disable=SC2016 # Markdown's quotes
names_not_found() {
    local name file
    while IFS=$'\t' read -r name file; do
        if [[ $file != *"$name"* ]] && ! grep -qF -- "$name" "$file"; then echo "$1: $name in $file"; fi
    done < <(sed -nE 's/\[`/\n[`/g;p' "$1" | sed -nE 's/^\[`([^`]+)`\]\(([^)]+)\).*/\1\t\2/p')
}

# The versions that the changelog promises are those that the packages ask for.
supported_versions_are_stated() {
    local stated asked
    stated=$(sed -nE '/^## Supported versions/,/^## Version policy/s/^\| ([A-Z][A-Za-z]+) \| ([0-9.]+) \|$/\1 \2/p' CHANGELOG.md)
    asked=$(
        sed -nE 's/^rust-version = "(.*)"$/Rust \1/p' Cargo.toml
        sed -nE 's/^requires-python = ">=(.*)"$/Python \1/p' bindings/python/pyproject.toml
        sed -nE 's/.*required_ruby_version = ">= (.*)"$/Ruby \1/p' bindings/ruby/prebind.gemspec
        sed -nE 's/.*"php": ">=(.*)".*/PHP \1/p' composer.json
        sed -nE 's/.*<maven.compiler.release>(.*)<.*/Java \1/p' bindings/uniffi/kotlin/pom.xml
    )
    diff <(echo "$stated") <(echo "$asked")
}

paths_are_portable() {
    nothing lines_in_files '(^|[^[:alnum:]_.}~-])/(work|root|home)/'
}

# lines_in_files PATTERN: where it is in what people write.
lines_in_files() {
    local files
    files=$(files | grep -vxE 'Cargo\.lock|LICENSE.*')
    # shellcheck disable=SC2086 # split on purpose
    matches -nIE -- "$1" $files
}

lock_is_current() {
    cargo metadata --quiet --locked --format-version 1 >/dev/null
    cargo metadata --quiet --locked --format-version 1 --manifest-path core/fuzz/Cargo.toml >/dev/null
}

# native_half_is_thin FOLDER: defaults, the protocol and repetition are the core's.
native_half_is_thin() {
    nothing decisions_in "$1"
}

# What would show that a binding decides something: a default, a word of the protocol, a second try.
# Comments may talk of anything.
decisions_in() {
    local sources
    sources=$(rust_files "$1")
    # shellcheck disable=SC2086 # split on purpose
    matches -nE '\.unwrap_or\([0-9"]|from_(secs|millis|mins)\(|Duration::new|xmlns|jabber:|urn:(ietf|xmpp)|httpbind|<(body|auth|iq)\b|for _ in|\bsleep\(' \
        $sources | matches -vE '^[^:]+:[0-9]+: *//'
}

# unsafe_is_in_one_file FOLDER: at most one file has any, and without one the compiler is told so.
unsafe_is_in_one_file() {
    local sources found
    sources=$(rust_files "$1")
    # shellcheck disable=SC2086 # split on purpose
    found=$(matches -lE '\bunsafe (\{|fn|impl|extern|trait)' $sources)
    if [[ ! $found ]]; then
        grep -q '^#!\[forbid(unsafe_code)\]' "$1/lib.rs"
    elif [[ $found == *$'\n'* ]]; then
        echo "$found"
        return 1
    fi
}

# rust_files FOLDER: there has to be one.
rust_files() {
    find "$1" -name '*.rs' | grep .
}

# parts_beside_the_table: functions that nothing runs.
parts_beside_the_table() {
    comm -13 <(all_names | sort) <(declare -F | sed -n 's/^declare -f part_//p' | sort)
}

# packages_without_a_part: packages of the workspace whose tests no part runs.
packages_without_a_part() {
    local package packages
    packages=$(tests/rust-tests --packages)
    for package in $packages; do
        matches -cE "(tests/rust-tests|cargo_tests -p) $package( |\$)" tests/run | sed -n "s/^0\$/$package/p"
    done
}
