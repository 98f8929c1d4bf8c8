# trixie.sh DIRECTORY
#
# Puts Prosody 13 and what it runs on, from the packages of Debian 13, below DIRECTORY/root, unless
# it is there. Nothing is installed or configured, so it takes no root and no Debian 13: apt
# resolves and verifies, with state of its own, and dpkg unpacks.

set -eu
directory=$1
packages="prosody prosody-modules lua-unbound"
# Where this machine has its own packages from, there are those of Debian 13 as well.
# shellcheck disable=SC2016 # for apt to expand
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' \
	'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)}
if [ -z "$mirror" ]; then
	echo "apt knows no mirror of Debian: name one in DEBIAN_MIRROR" >&2
	exit 1
fi
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

mkdir -p "$directory"
cd "$directory"
# Tests that start side by side fetch it once.
exec 9>lock
flock 9
[ ! -e root ] || exit 0

rm -rf new apt
mkdir -p new apt/lists/partial apt/archives/partial
echo "deb [signed-by=$keyring] $mirror trixie main" >apt/sources.list
: >apt/status

from_trixie() {
	apt-get -qq \
		-o Dir::Etc::sourcelist="$PWD/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State="$PWD/apt" -o Dir::State::status="$PWD/apt/status" -o Dir::Cache="$PWD/apt" \
		-o APT::Sandbox::User= -o Debug::NoLocking=true \
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}
from_trixie update
# shellcheck disable=SC2086 # split on purpose
from_trixie install --download-only --yes --no-install-recommends $packages
for package in apt/archives/*.deb; do
	dpkg -x "$package" new
done

# It knows its own place only from here.
sed "s|'/usr/lib/prosody|'$PWD/root/usr/lib/prosody|" new/usr/bin/prosody >new/prosody.lua
rm -rf apt
mv new root
