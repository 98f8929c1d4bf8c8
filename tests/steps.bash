# Sourced by tests/run: what a part is made of.
# shellcheck shell=bash disable=SC2034,SC2154 # what the files have in common

# check NAME COMMAND…: one test, which passes if the command does.
check() {
    step "$@"
    if ((status == 0)); then record "$1" passed; else record "$1" failed; fi
}

# suite NAME COMMAND…: the tests of a runner, which writes JUnit XML (`*.xml`) or what libtest prints
# (`*.libtest`) into PREBIND_RESULTS.
suite() {
    local name=$1 folder counted
    folder=$results/$(numbered "$name")
    mkdir "$folder"
    PREBIND_RESULTS=$folder step "$@"
    counted=$(tests/count "$folder" | tail -n 1)
    # A runner that ran nothing, or that broke and counted no failure.
    if [[ $counted == "0 passed, 0 failed, "* ]]; then
        record "$name: no test ran" failed
    elif ((status)) && [[ $counted == *", 0 failed, "* ]]; then
        record "$name: exit code $status" failed
    fi
}

# skipped NAME WHY: a test that cannot be run here.
skipped() {
    echo "skipped: $1: $2"
    record "$1" skipped "$2"
}

# skip WHY: ends the part, none of which can be run here.
skip() {
    skipped "$part" "$1"
    exit
}

# step NAME COMMAND…: runs it in a shell of its own, with a log of its own. Leaves its exit code in `status`.
#
# Not in a subshell: one that is part of a condition goes on after a command that failed.
step() {
    local name=$1 log TIMEFORMAT="%R %U %S" took
    shift
    log=$results/$(numbered "$name").log
    steps=$((steps + 1))
    status=0
    # What `time` prints comes from this shell, what the command prints goes into the log.
    took=$({ time "$BASH" tests/run --do "$@" >"$log" 2>&1; } 2>&1) || status=$?
    printf '%s %s\t%s\n' "$took" "$status" "$name" >>"$results/steps"
    printf '%s %s (%s s)\n' "$( ((status)) && echo ✗ || echo ✓)" "$name" "${took%% *}"
}

# The name of a file for what the next step writes.
numbered() {
    local name=${1//[^[:alnum:]]/-}
    printf '%02d-%.60s\n' "$steps" "$name"
}

# record NAME OUTCOME [WHY]: writes the outcome of one test: passed, failed or skipped.
record() {
    local name outcome=
    name=$(escaped "$1")
    case $2 in
        failed) outcome="<failure/>" ;;
        skipped) outcome="<skipped message=\"$(escaped "$3")\"/>" ;;
    esac
    printf '<testsuite><testcase name="%s">%s</testcase></testsuite>\n' "$name" "$outcome" \
        >"$(mktemp "$results/record-XXXXXX.xml")"
}

# The text as it stands in an attribute of XML.
escaped() {
    local text=$1
    text=${text//&/"&amp;"}
    text=${text//</"&lt;"}
    echo "${text//\"/"&quot;"}"
}

# with_results OPTION=FILE COMMAND…: the command and the option that has it write JUnit XML to that file.
with_results() {
    local option=$1
    shift
    "$@" "${option%%=*}" "$PREBIND_RESULTS/${option#*=}"
}

# nothing COMMAND…: succeeds if the command does and prints nothing.
nothing() {
    local found
    found=$("$@")
    if [[ $found ]]; then
        echo "$found"
        return 1
    fi
}

# matches ARGUMENT…: grep, for which it is no failure to find nothing.
matches() {
    grep "$@" || (($? == 1))
}

# Every file of the project, those not yet committed included.
files() {
    git -c "safe.directory=$root" ls-files --cached --others --exclude-standard |
        while read -r file; do if [[ -f $file ]]; then echo "$file"; fi; done
}

# tool NAME VERSION: a cargo tool, built once for all checkouts. It is used for seconds, so it is not
# optimized, which would take minutes.
tool() {
    local name=$1 version=$2
    if [[ $(cargo "${name#cargo-}" --version 2>/dev/null) == *"$version"* ]]; then return; fi
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$root/target/tools \
        cargo install "$name" --version "$version" --locked --debug --force --root "$kept"
}

# go_tool NAME PACKAGE VERSION: a tool in Go, built once for all checkouts.
go_tool() {
    if [[ $("$1" --version 2>/dev/null) == "$3"* ]]; then return; fi
    GOBIN=$kept/bin go install "$2@$3"
}

# component SUBCOMMAND NAME: a component of the Rust toolchain.
component() {
    cargo "$1" --version || rustup component add "$2"
}

# --- Rust

# cargo_all SUBCOMMAND ARGUMENT…: with the features that the whole workspace has together.
cargo_all() {
    local subcommand=$1
    shift
    cargo "$subcommand" --workspace --all-features --locked "$@"
}

# cargo_tests ARGUMENT…: those that cargo itself runs.
cargo_tests() {
    local failed=0
    cargo test --locked --no-fail-fast "$@" >"$PREBIND_RESULTS/cargo.libtest" 2>&1 || failed=$?
    cat "$PREBIND_RESULTS/cargo.libtest"
    return "$failed"
}

# rust_api_is_kept: nothing public has changed or gone since the newest commit that touched `tests/semver/baseline`.
#
# `minor` is what cargo-semver-checks calls a release that only adds, whatever cargo calls it while the version is 0.x.
rust_api_is_kept() {
    local baseline
    baseline=$(git -c "safe.directory=$root" log -1 --format=%H -- tests/semver/baseline)
    echo "compared with ${baseline:?is in no commit: commit tests/semver/baseline, or fetch the whole history}"
    cargo semver-checks --package prebind --all-features --release-type minor --baseline-rev "$baseline"
}

# crates_are_complete: cargo packs what is published, with the page of its registry and both licences.
crates_are_complete() {
    local package listed
    cargo package --quiet --locked --no-verify --allow-dirty -p prebind -p prebind-cli
    for package in prebind prebind-cli; do
        listed=$(cargo package --list --quiet --allow-dirty -p "$package")
        nothing beside_sources "$listed"
        nothing missing_in "$listed"
    done
}

# beside_sources LIST: files that nobody who builds the crate needs.
beside_sources() {
    matches -vE '^(src|docs)/|^(Cargo\.(toml|toml\.orig|lock)|\.cargo_vcs_info\.json|REGISTRY\.md|LICENSE-(MIT|APACHE))$' <<<"$1"
}

missing_in() {
    local name
    for name in REGISTRY.md LICENSE-MIT LICENSE-APACHE; do
        grep -qxF "$name" <<<"$1" || echo "$name"
    done
}

# --- Python

# python_calls NUMBER: that many from Python, half of which fail.
python_calls() {
    # With one arena for all threads, what is free and what is leaked can be told apart.
    MALLOC_ARENA_MAX=1 servers prosody --no-limits -- \
        "$root/target/python/bin/python" bindings/python/tests/soak.py "$1"
}

# django_types PYTHON: types of the whole package, now that Django is here for the rest of it.
django_types() {
    cd bindings/python/tests/django || return
    export MYPYPATH=../../python:. MYPY_CACHE_DIR=$root/target/mypy DJANGO_SETTINGS_MODULE=sample.settings
    "$1" -m mypy --strict -p prebind
    servers all -- "$1" -m mypy.stubtest --allowlist stubtest.allowlist prebind
}

# django_tests PYTHON ARGUMENT…
django_tests() {
    local python=$1
    shift
    cd bindings/python/tests/django || return
    servers all -- "$python" -m pytest --quiet --junitxml "$PREBIND_RESULTS/pytest.xml" "$@"
}

# django_provider_tests PYTHON: users who sign in by an identity provider.
django_provider_tests() {
    cd bindings/python/tests/django/providers || return
    servers provider -- "$1" -m pytest --quiet --junitxml "$PREBIND_RESULTS/pytest.xml"
}

# --- Ruby

# ruby_gem TASK: packs a gem into target/gems, where no other part packs another.
ruby_gem() {
    local gem
    gem=$(cd bindings/ruby && rake "$1" | tail -n 1)
    mkdir -p target/gems
    cp "$gem" target/gems
}

# install_gem FOLDER: installs the gem for this platform there.
install_gem() {
    rm -rf "$1"
    GEM_HOME=$1 gem install --local --no-document --quiet target/gems/prebind-*-*.gem
}

ruby_is_documented() {
    local stats
    stats=$(cd bindings/ruby && yard stats --no-cache --no-save --list-undoc lib)
    grep -q '% documented' <<<"$stats"
    # shellcheck disable=SC2016 # the $ is sed's
    nothing sed -n '/Undocumented Objects/,$p' <<<"$stats"
}

# signatures ARGUMENT…: the command `rbs`, which Debian keeps out of the PATH.
signatures() {
    ruby -e 'load Gem.bin_path("rbs", "rbs")' -- -I bindings/ruby/sig "$@"
}

# ruby_calls NUMBER: that many from Ruby, half of which fail.
ruby_calls() {
    servers prosody --no-limits -- env MALLOC_ARENA_MAX=1 GEM_HOME="$root/target/ruby" ruby bindings/ruby/test/soak.rb "$1"
}

# newest_gem INSIDE: the source gem, installed in another Debian, which builds the extension.
newest_gem() {
    local gem
    gem=$(cd bindings/ruby && rake build | tail -n 1)
    rm -rf "$GEM_HOME"
    cp "$gem" "$root/target/newest/prebind.gem"
    "$1" gem install --local --no-document "$root/target/newest/prebind.gem"
}

# --- PHP

# The extension that the part `packages` has installed.
installed_for_php() {
    echo "$root/target/php$(php-config --extension-dir)/prebind.so"
}

# php_calls NUMBER: that many from PHP, half of which fail.
php_calls() {
    MALLOC_ARENA_MAX=1 servers prosody --no-limits -- \
        php -d "extension=$PREBIND_EXTENSION" bindings/php/tests/soak.php "$1"
}

# As it is for development: what the optimizer rearranges, valgrind takes for errors.
php_under_valgrind() {
    USE_ZEND_ALLOC=0 servers prosody --no-limits -- valgrind --quiet --error-exitcode=1 --leak-check=full \
        --show-leak-kinds=definite --errors-for-leak-kinds=definite --suppressions=bindings/php/tests/valgrind.supp \
        php -n -d "extension=$PREBIND_BUILT/libprebind_php.so" bindings/php/tests/soak.php 100
}

# --- the JVM

# By what is the same in all languages of UniFFI's.
vectors_by_uniffi() {
    local folder=$root/target/uniffi-python library
    library=$(bindings/uniffi/generate python "$folder")
    cp "$library" "$folder"
    bindings/uniffi/tests/vectors.py "$folder"
}

# --- Node

# headless COMMAND…: cases that the command runs have Chromium's headless shell, which works a third less, unless
# they need the whole Chromium. The reference site has the whole Chromium in all cases.
headless() {
    CHROMIUM_HEADLESS_SHELL=/usr/bin/chromium-headless-shell "$@"
}

# with_tokens SITE: the cases of a site that signs tokens and knows no chat password. SITE is the command that starts it.
with_tokens() {
    headless tests/browser/run --site "$1" --tokens --more tests/browser/tokens tokens
}

# node_packages FOLDER|FILE…: fills the node_modules of each folder, or of each file's folder.
node_packages() {
    # shellcheck source=tests/node.bash
    . tests/node.bash
    require_node
    local package
    for package in "$@"; do
        node_modules "${package%/package.json}"
    done
}
