# shellcheck shell=sh
# Installs oidc-provider into this directory.

: "${from:?}"
cp "$from/package.json" "$from/package-lock.json" "$from/.npmrc" .
npm ci --ignore-scripts --no-audit --no-fund
