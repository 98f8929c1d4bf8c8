# Sourced by tests/run: installs what parts need, runs them, and tells what came of them.
# shellcheck shell=bash disable=SC2034,SC2154 # what the files have in common

skipped=77
declare -A children=() started=()

main() {
    local selected=("$@") name
    case ${1:-} in
        --list)
            all_names
            return
            ;;
        --inside)
            inside "$2"
            return
            ;;
        "") mapfile -t selected < <(names) ;;
    esac
    for name in "${selected[@]}"; do
        if [[ -z $(about "$name") ]]; then
            echo "tests/run: there is no part \`$name\`; the parts are" >&2
            all_names >&2
            return 2
        fi
    done
    run_all "${selected[@]}"
}

names() {
    printf '%s\n' "${parts[@]%% *}"
}

all_names() {
    printf '%s\n' "${parts[@]%% *}" "${long_parts[@]%% *}"
}

# The line of `parts` about a part, without the name.
about() {
    local part
    for part in "${parts[@]}" "${long_parts[@]}"; do
        if [[ ${part%% *} == "$1" ]]; then echo "${part#* }"; fi
    done
}

inside() {
    failed=false
    asides=()
    "part_$1"
    [[ $failed == false ]]
}

run_all() {
    local name patient=() passes=0 failures=0
    mkdir -p "$logs"
    # shellcheck source=tests/rust.bash
    . tests/rust.bash
    require_rust
    trap stop INT TERM HUP
    install_packages "$@"
    for name in "$@"; do
        if [[ " $patient_parts " == *" $name "* ]]; then
            begin_part "$name" flock --no-fork "$logs" nice -n 19
            patient+=("$name")
        fi
    done
    for name in "$@"; do
        if [[ " $patient_parts " != *" $name "* ]]; then
            begin_part "$name"
            end_part "$name"
        fi
    done
    for name in "${patient[@]}"; do
        end_part "$name"
    done
    echo "$passes passed, $failures failed"
    # Here, so that nobody minds if this file has changed in the meantime.
    exit $((failures > 0))
}

# begin_part NAME [COMMAND…]: by that command, in the background, since a shell handles Ctrl-C only
# between commands or while it waits.
begin_part() {
    local name=$1 limit
    shift
    read -r limit _ < <(about "$name")
    "$@" timeout --kill-after=10 "$limit" "$BASH" tests/run --inside "$name" </dev/null >"$logs/$name.log" 2>&1 &
    children[$name]=$!
    started[$name]=$SECONDS
}

# Waits for one part and adds its results to `passes` and `failures`.
end_part() {
    local name=$1 log=$logs/$1.log status=0 pass fail
    wait "${children[$name]}" || status=$?
    unset "children[$name]"
    if ((status == skipped)); then
        echo "- $name (skipped: $(tail -n 1 "$log"))"
        return
    fi
    if ((status == 124)); then echo "stopped: it took too long" >>"$log"; fi
    read -r pass fail < <(count "$log")
    if ((fail == 0 && (pass == 0 || status != 0))); then
        fail=1
        echo "$name: exit code $status, $pass tests passed" >>"$log"
    fi
    report "$name" "$log" $((SECONDS - started[$name])) $((pass + fail)) "$fail"
    passes=$((passes + pass))
    failures=$((failures + fail))
}

# The sums of the tests that passed and that failed.
count() {
    sed -nE 's/^test result: .* ([0-9]+) passed; ([0-9]+) failed.*/\1 \2/p' "$1" |
        awk '{ passed += $1; failed += $2 } END { print passed + 0, failed + 0 }'
}

report() {
    local name=$1 log=$2 seconds=$3 tests=$4 fail=$5
    if ((fail == 0)); then
        echo "✓ $name ($seconds s, $tests test$( ((tests == 1)) || echo s))"
    else
        echo "✗ $name ($seconds s, $fail of $tests failed; ${log#"$root/"})"
        { failures "$log"; echo "…"; tail -n 30 "$log"; } | sed 's/^/    /'
    fi
}

# What a log says of each test that failed, with the lines before it: that is where a check says why.
failures() {
    grep -nE '^(test .*FAILED|error)' "$1" | cut -d: -f1 | while read -r line; do
        sed -n "$((line > 15 ? line - 15 : 1)),${line}p" "$1"
    done
}

# Ctrl-C, or the terminal is gone: `timeout` passes the signal on to everything it started.
stop() {
    trap '' INT TERM HUP
    if ((${#children[@]})); then
        kill "${children[@]}" 2>/dev/null || true
        wait "${children[@]}" || true
    fi
    echo "stopped" >&2
    exit 130
}

# --- what parts need

# install_packages PART…: the Debian packages that are missing, if any.
install_packages() {
    local name package missing=()
    for name in "$@"; do
        for package in $(about "$name" | cut -s -d' ' -f2-); do
            if [[ " ${missing[*]} " != *" $package "* ]] && ! is_installed "$package"; then
                missing+=("$package")
            fi
        done
    done
    if ((${#missing[@]})); then
        echo "installing ${missing[*]}"
        if ! apt_install "${missing[@]}" >"$logs/packages.log" 2>&1; then
            tail -n 20 "$logs/packages.log"
            echo "could not install them; as root: apt-get install ${missing[*]}"
        fi
    fi
}

is_installed() {
    [[ $(dpkg-query --show --showformat='${Status}' "$1" 2>/dev/null) == "install ok installed" ]]
}

apt_install() {
    as_root apt-get -q update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$@"
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}
