# shellcheck shell=sh
# Installs node-xmpp-bosh into this directory and compiles its XML parser. The version
# that it asks for is too old for today's Node, so package.json overrides it.

: "${from:?}"
cp "$from/package.json" "$from/package-lock.json" "$from/.npmrc" .
# These are Node's installed header files. Without this, npm would fetch them.
prefix=$(node -p process.config.variables.node_prefix)
for candidate in /usr "$prefix"; do
	[ ! -e "$candidate/include/node/node.h" ] || export npm_config_nodedir="$candidate"
done
npm ci --no-audit --no-fund
