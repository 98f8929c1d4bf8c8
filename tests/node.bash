# Sourced by every script that runs Node.
# shellcheck shell=bash

# Makes sure of a Node that is new enough, or says so.
require_node() {
    local needed=18 version
    if ! version=$(node --version 2>/dev/null) || ! command -v npm >/dev/null; then
        echo "Node $needed or newer and npm are needed: apt-get install nodejs npm, or see https://nodejs.org" >&2
        return 1
    fi
    version=${version#v}
    if ((${version%%.*} < needed)); then
        echo "Node $needed or newer is needed; here is $version." >&2
        return 1
    fi
}

# node_modules FOLDER: fills its node_modules, unless they are up to date.
node_modules() {
    if [[ ! $1/node_modules/.package-lock.json -nt $1/package-lock.json ]]; then
        npm --prefix "$1" ci --ignore-scripts --no-audit --no-fund
    fi
}
