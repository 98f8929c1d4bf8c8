# Sourced by tests/run: what a part is made of.
# shellcheck shell=bash disable=SC2034,SC2154 # what the files have in common

# check NAME COMMAND…: one test, which passes if the command does.
check() {
    local name=$1
    shift
    echo "check: $name"
    if "$@"; then
        echo "test result: ok. 1 passed; 0 failed; $name"
    else
        echo "test result: FAILED. 0 passed; 1 failed; $name"
        failed=true
    fi
}

# aside NAME COMMAND…: the same, beside the checks that follow, until `joined`, with what they leave of the
# processors.
aside() {
    local log=$logs/aside-${#asides[@]}-$BASHPID.log
    (
        failed=false
        renice -n 10 -p "$BASHPID"
        check "$@"
        [[ $failed == false ]]
    ) >"$log" 2>&1 &
    asides[$!]=$log
}

joined() {
    local pid
    for pid in "${!asides[@]}"; do
        wait "$pid" || failed=true
        cat "${asides[$pid]}"
        rm "${asides[$pid]}"
    done
    asides=()
}

# tests ARGUMENT…: those of a cargo package.
tests() {
    cargo test --no-fail-fast "$@" || failed=true
}

# pytests COMMAND…: those of a pytest, counted from its last line, `1 failed, 12 passed in 3.45s`.
pytests() {
    local log=$logs/pytest.log pass fail
    "$@" 2>&1 | tee "$log" || failed=true
    read -r pass fail < <(tail -n 1 "$log" | awk '{
        for (i = 2; i <= NF; i++) {
            if ($i ~ /^passed/) pass = $(i - 1)
            if ($i ~ /^(failed|error)/) fail += $(i - 1)
        }
        print pass + 0, fail + 0
    }')
    echo "test result: $( ((fail)) && echo FAILED || echo ok). $pass passed; $fail failed; pytest"
}

# python_wheel FOLDER: a virtual environment with the wheel that is published, its tests' tools,
# and the commands that they call.
python_wheel() {
    cargo build -p servers -p faults
    PATH=$root/target/debug:$PATH
    bindings/python/tests/venv "$1" --release
}

# ruby_gem FOLDER: the gem that is published for this platform, installed there, and the commands
# that its tests call.
ruby_gem() {
    cargo build -p servers -p faults -p prebind-cli
    PATH=$root/target/debug:$PATH
    local gem
    gem=$(cd bindings/ruby && rake native | tail -n 1)
    rm -rf "$1"
    GEM_HOME=$1 gem install --local --no-document --quiet "$gem"
}

# tests_of_ruby COMMAND…: those of minitest, on the gem that is installed.
tests_of_ruby() {
    GEM_HOME=$root/target/ruby "$@" || failed=true
}

# Everything public is described.
documented() {
    local undocumented
    undocumented=$(cd bindings/ruby && yard stats --no-cache --no-save --list-undoc lib)
    nothing "$(sed -n '/Undocumented Objects/,$p' <<<"$undocumented")"
}

# signatures ARGUMENT…: the command `rbs`, which Debian keeps out of the PATH.
signatures() {
    ruby -e 'load Gem.bin_path("rbs", "rbs")' -- -I bindings/ruby/sig "$@"
}

# ruby_calls NUMBER: that many from Ruby, half of which fail.
ruby_calls() {
    servers prosody --no-limits -- env MALLOC_ARENA_MAX=1 GEM_HOME="$root/target/ruby" ruby bindings/ruby/test/soak.rb "$1"
}

# python_source FOLDER: the source package, beside the wheel, to be built with what is built already.
python_source() {
    check "source package" \
        "$1/bin/maturin" sdist --manifest-path bindings/python/Cargo.toml --out "$1/wheels"
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
}

# python_calls NUMBER: that many from Python, half of which fail.
python_calls() {
    # With one arena for all threads, what is free and what is leaked can be told apart.
    MALLOC_ARENA_MAX=1 servers prosody --no-limits -- \
        "$root/target/python/bin/python" bindings/python/tests/soak.py "$1"
}

# The extension for PHP as it is published, from the source package, and the commands that its tests call.
php_extension() {
    local folder=$root/target/php
    cargo build -p servers -p faults
    PATH=$root/target/debug:$PATH
    mkdir -p "$folder"
    check "source package" bindings/php/tests/package "$folder/prebind.tar.gz"
    # With what is built already.
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
    check "source package, installed elsewhere" \
        servers prosody -- bindings/php/tests/install "$folder/prebind.tar.gz" "$folder"
    PREBIND_EXTENSION=$folder$(php-config --extension-dir)/prebind.so
    export PREBIND_EXTENSION
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
        php -n -d "extension=$root/target/debug/libprebind_php.so" bindings/php/tests/soak.php 100
}

# is_thin FILE…: comments and blank lines do not count.
is_thin() {
    is_thin_to 180 "$@"
}

is_thin_to() {
    local limit=$1
    shift
    (($(cat "$@" | grep -cvE '^\s*(//.*)?$') <= limit))
}

# By what is the same in all languages of UniFFI's.
vectors_by_uniffi() {
    local folder=$root/target/uniffi-python library
    library=$(bindings/uniffi/generate python "$folder") &&
        cp "$library" "$folder" &&
        bindings/uniffi/tests/vectors.py "$folder"
}

# colourless COMMAND…: Maven ends with an escape sequence and no newline, whatever it is told.
colourless() {
    "$@" 2>&1 | sed 's/\x1b\[[0-9;]*m//g'
}

# surefires COMMAND…: those of a Maven, counted from its last line,
# `Tests run: 12, Failures: 1, Errors: 0, Skipped: 2`, in which all are those that were skipped, too.
surefires() {
    local log=$logs/surefire.log all fail
    colourless "$@" | tee "$log" || failed=true
    read -r all fail < <(sed -nE 's/.*Tests run: ([0-9]+), Failures: ([0-9]+), Errors: ([0-9]+), Skipped: ([0-9]+).*/\1 \2 \3 \4/p' "$log" |
        tail -n 1 | awk '{ all = $1 - $4; fail = $2 + $3 } END { print all + 0, fail + 0 }')
    echo "test result: $( ((fail)) && echo FAILED || echo ok). $((all - fail)) passed; $fail failed; Surefire"
}

# phpunits COMMAND…: those of a PHPUnit, counted from `OK (12 tests, …)` or `Tests: 12, …, Failures: 1.`
phpunits() {
    local log=$logs/phpunit.log all fail
    "$@" 2>&1 | tee "$log" || failed=true
    all=$(sed -nE 's/^(OK \(|Tests: )([0-9]+).*/\2/p' "$log" | tail -n 1)
    fail=$(sed -nE '/^Tests: /p' "$log" | { grep -oE '(Errors|Failures): [0-9]+' || true; } |
        awk '{ sum += $2 } END { print sum + 0 }')
    echo "test result: $( ((fail)) && echo FAILED || echo ok). $((all - fail)) passed; $fail failed; PHPUnit"
}

# For what is built apart from the rest: cargo lets nobody else build in a folder that it builds in.
apart() {
    export CARGO_TARGET_DIR=$root/target/apart
}

# skip WHY: ends the part without a result.
skip() {
    echo "$1"
    exit "$skipped"
}

# tool NAME: a cargo tool, built once if it is not there.
tool() {
    command -v "$1" || cargo install "$1" --locked --root "$tools"
}

# component SUBCOMMAND NAME: a component of the Rust toolchain.
component() {
    cargo "$1" --version || rustup component add "$2"
}

# Every file of the project, those not yet committed included.
files() {
    git -c "safe.directory=$root" ls-files --cached --others --exclude-standard |
        while read -r file; do if [[ -f $file ]]; then echo "$file"; fi; done
}

# nothing TEXT: succeeds if there is none, and prints it otherwise.
nothing() {
    if [[ $1 ]]; then
        echo "$1"
        return 1
    fi
}
