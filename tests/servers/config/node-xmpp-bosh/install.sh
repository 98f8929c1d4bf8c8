# shellcheck shell=sh
# Installs node-xmpp-bosh into this directory. Its XML parser is compiled: the one it asks for is too old for today's
# Node, hence the override in package.json.

: "${from:?}"
cp "$from/package.json" "$from/package-lock.json" "$from/.npmrc" .
# Node's header files, where they are installed: npm would fetch them otherwise.
prefix=$(node -p process.config.variables.node_prefix)
for candidate in /usr "$prefix"; do
	[ ! -e "$candidate/include/node/node.h" ] || export npm_config_nodedir="$candidate"
done
npm ci --no-audit --no-fund
