# Sourced by tests/run: installs what parts need, runs them side by side, and tells what came of them.
# shellcheck shell=bash disable=SC2034,SC2154 # what the files have in common

# So many parts run at the same time: one more than processors, since a part also waits for browsers and servers.
lanes=$(($(nproc) + 1))
is_strict=false
declare -A children=() started=() ended=()

main() {
    if [[ ${1-} == --strict ]]; then
        is_strict=true
        shift
    fi
    case ${1-} in
        --list) all_names ;;
        --inside) inside "$2" ;;
        # One step, as a shell of its own.
        --do) "${@:2}" ;;
        "") run_all "${parts[@]%% *}" ;;
        *)
            local name
            for name in "$@"; do
                if [[ -z $(about "$name") ]]; then
                    echo "tests/run: there is no part \`$name\`; the parts are" >&2
                    all_names >&2
                    return 2
                fi
            done
            run_all "$@"
            ;;
    esac
}

names() {
    printf '%s\n' "${@%% *}"
}

all_names() {
    names "${parts[@]}" "${long_parts[@]}"
}

# about PART: its line of `parts`, without the name.
about() {
    local line
    for line in "${parts[@]}" "${long_parts[@]}"; do
        if [[ ${line%% *} == "$1" ]]; then echo "${line#* }"; fi
    done
}

# needs PART: the parts that have to succeed before it.
needs() {
    local needed
    read -r _ needed _ < <(about "$1")
    if [[ $needed != - ]]; then tr , '\n' <<<"$needed"; fi
}

# inside PART: runs it in this process.
inside() {
    part=$1
    results=$logs/$part
    steps=0
    "part_$part"
}

run_all() {
    local passes=0 failures=0 skips=0 name begun=$SECONDS
    local -a selected=() waiting=()
    mkdir -p "$logs" "$kept"
    # shellcheck source=tests/rust.bash
    . tests/rust.bash
    require_rust
    trap 'stop stopped' INT TERM HUP
    # Its own fault: `set -e` says nothing.
    trap 'stop "tests/run itself has failed"' EXIT
    mapfile -t selected < <(with_needs "$@")
    install_packages "${selected[@]}"
    tests/compiled take "$kept/compiled"
    # A source package that is built elsewhere finds there what is built already.
    export CARGO_TARGET_DIR=$root/target
    # What `build` makes, and the scripts that are tested build by themselves otherwise.
    export PREBIND_BUILT=$root/target/debug PATH=$root/target/debug:$PATH
    waiting=("${selected[@]}")
    while ((${#waiting[@]} + ${#children[@]})); do
        begin_parts
        end_a_part
    done
    summary "${selected[@]}"
    # Last, where they are seen however long the output is.
    for name in "${selected[@]}"; do
        second_tries_of "$logs/$name"
        if [[ ${ended[$name]} == failed ]]; then failures_of "$logs/$name"; fi
    done
    printf 'in %s s\n' $((SECONDS - begun))
    if ((!failures)); then tests/compiled keep "$kept/compiled"; fi
    echo "$passes passed, $failures failed, $skips skipped"
    trap - EXIT
    # Here, so that nobody minds if this file has changed in the meantime.
    exit $((failures > 0))
}

# with_needs PART…: these and what they need, in the order of the table.
with_needs() {
    local -A wanted=()
    local -a left=("$@")
    local name
    while ((${#left[@]})); do
        name=${left[0]}
        left=("${left[@]:1}")
        if [[ -v wanted[$name] ]]; then continue; fi
        wanted[$name]=yes
        mapfile -t -O "${#left[@]}" left < <(needs "$name")
    done
    for name in $(all_names); do
        if [[ -v wanted[$name] ]]; then echo "$name"; fi
    done
}

# Begins each part that waits for nothing any more, as long as there is a lane for it.
begin_parts() {
    local name broken
    local -a later=()
    for name in "${waiting[@]}"; do
        broken=$(first_broken "$name")
        if [[ $broken ]]; then
            not_run "$name" "$broken failed"
        elif is_ready "$name" && has_lane "$name"; then
            begin_part "$name"
        else
            later+=("$name")
        fi
    done
    waiting=("${later[@]}")
}

# first_broken PART: one that it needs and that failed, if any.
first_broken() {
    local needed
    for needed in $(needs "$1"); do
        if [[ ${ended[$needed]-} == failed ]]; then
            echo "$needed"
            return
        fi
    done
}

is_ready() {
    local needed
    for needed in $(needs "$1"); do
        if [[ ! -v ended[$needed] ]]; then return 1; fi
    done
}

# The patient parts have two lanes of their own.
has_lane() {
    local name patient=0
    for name in "${children[@]}"; do
        if is_patient "$name"; then patient=$((patient + 1)); fi
    done
    if is_patient "$1"; then ((patient < 2)); else ((${#children[@]} - patient < lanes)); fi
}

is_patient() {
    [[ " $patient_parts " == *" $1 "* ]]
}

# In the background, since a shell handles Ctrl-C only between commands or while it waits.
begin_part() {
    local name=$1 limit nice=0
    read -r limit _ < <(about "$name")
    if is_patient "$name"; then nice=19; fi
    rm -rf "${logs:?}/$name"
    mkdir "$logs/$name"
    nice -n "$nice" timeout --kill-after=10 "$limit" "$BASH" tests/run --inside "$name" \
        </dev/null >"$logs/$name/log" 2>&1 &
    children[$!]=$name
    started[$name]=$SECONDS
}

# Waits until a part ends, and reports it.
end_a_part() {
    local pid status=0 name
    if ((!${#children[@]})); then return; fi
    wait -n -p pid "${!children[@]}" || status=$?
    name=${children[$pid]}
    unset "children[$pid]"
    results=$logs/$name
    if ((status == 124 || status == 137)); then
        record "$name took longer than it may" failed
    elif ((status)); then
        record "$name stopped with exit code $status" failed
    fi
    report "$name" $((SECONDS - started[$name]))
}

# not_run PART WHY
not_run() {
    local name=$1
    rm -rf "${logs:?}/$name"
    mkdir "$logs/$name"
    results=$logs/$name
    echo "not run: $2" >"$logs/$name/log"
    record "$name was not run: $2" failed
    report "$name" 0
}

# report PART SECONDS: counts its results, and shows those that are not good.
report() {
    local name=$1 seconds=$2 folder=$logs/$1 pass fail skip line
    tests/count "$folder" >"$folder/count"
    if [[ $is_strict == true ]]; then sort_out_skips "$folder/count"; fi
    read -r pass _ fail _ skip _ < <(tail -n 1 "$folder/count")
    if ((pass + fail + skip == 0)); then
        fail=1
        echo "failed $name: no test ran" >>"$folder/count"
    fi
    passes=$((passes + pass)) failures=$((failures + fail)) skips=$((skips + skip))
    ended[$name]=$( ((fail)) && echo failed || echo passed)
    line="$name ($seconds s, $pass passed"
    if ((fail)); then line+=", $fail failed: ${folder#"$root/"}"; fi
    if ((skip)); then line+=", $skip skipped"; fi
    printf '%s %s)\n' "$( ((fail)) && echo ✗ || echo ✓)" "$line"
    sed -n '/^skipped /s/^/    /p; /^failed /s/^/    /p' "$folder/count"
}

# sort_out_skips FILE: with --strict, a skipped test is a failure, unless the list says why it may be skipped.
sort_out_skips() {
    local line unknown=0 pass fail skip
    local -a lines
    mapfile -t lines <"$1"
    for line in "${lines[@]}"; do
        if [[ $line == "skipped "* ]] && ! may_be_skipped "${line#skipped }"; then
            line="failed (skipped, and it must not be) $line"
            unknown=$((unknown + 1))
        elif [[ $line == *" passed, "* ]]; then
            read -r pass _ fail _ skip _ <<<"$line"
            line="$pass passed, $((fail + unknown)) failed, $((skip - unknown)) skipped"
        fi
        echo "$line"
    done >"$1"
}

may_be_skipped() {
    local known
    for known in "${may_skip[@]}"; do
        if [[ $1 == "${known%%: *}: "* ]]; then return; fi
    done
    return 1
}

# second_tries_of FOLDER: why cases in a browser were tried a second time, see tests/browser/lib/browser.js.
second_tries_of() {
    local note
    for note in "$1"/*/second-tries; do
        if [[ -e $note ]]; then printf '\n── %s\n%s\n' "${note#"$root/"}" "$(<"$note")"; fi
    done
}

# failures_of FOLDER: what the log of each step of a part that failed says of it.
failures_of() {
    local log
    while read -r log; do
        printf '\n── %s\n' "${log#"$root/"}"
        reasons_in "$log"
    done < <(failed_logs "$1")
}

# reasons_in LOG: what the failed tests printed, if libtest or Node wrote it, or the end of the log.
reasons_in() {
    local reasons
    # libtest says "failures:" before what they printed, and again before the list of their names. Node repeats the
    # failed ones after all others; another runner may follow.
    reasons=$(awk '
        $0 == "failures:" { shows = !shows; next }
        /^✖ failing tests:/ { shows = 1 }
        /^✔ / { shows = 0 }
        shows
    ' "$1")
    if [[ $reasons ]]; then
        echo "${reasons:0:4000}"
    else
        tail -n 40 "$1"
    fi
}

# The log of each step that failed, or that of the part if it stopped outside of one.
failed_logs() {
    local number=-1 log status
    local -a logs_of=()
    while read -r _ _ _ status _; do
        number=$((number + 1))
        if ((status)); then logs_of+=("$1/$(printf %02d $number)"-*.log); fi
    done < <(cat "$1/steps" 2>/dev/null)
    printf '%s\n' "${logs_of[@]:-$1/log}"
}

# summary PART…: how long each part took and, of each, the ten slowest steps of a second or more; with the
# seconds that all processors together worked for it.
summary() {
    local name file
    printf '\n%8s %8s  %s\n' seconds work "part, and its slowest steps"
    for name in "$@"; do
        file=$logs/$name/steps
        if [[ ! -e $file ]]; then continue; fi
        awk -v name="$name" '{ wall += $1; work += $2 + $3 } END { printf "%8.1f %8.1f  %s\n", wall, work, name }' "$file"
        sort --numeric-sort --reverse "$file" | head -n 10 | awk -F'\t' '{
            split($1, took, " ")
            if (took[1] >= 1) printf "%8.1f %8.1f      %s\n", took[1], took[2] + took[3], $2
        }'
    done
}

# stop WHY: `timeout` passes the signal on to everything it started.
stop() {
    trap - EXIT
    trap '' INT TERM HUP
    if ((${#children[@]})); then
        kill "${!children[@]}" 2>/dev/null || true
        wait "${!children[@]}" || true
    fi
    echo "$1" >&2
    exit 130
}

# --- what parts need

# install_packages PART…: the Debian packages that are missing, if any.
install_packages() {
    local name package missing=()
    for name in "$@"; do
        # The results are counted by a program in Python.
        for package in python3 $(about "$name" | cut -s -d' ' -f3-); do
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
