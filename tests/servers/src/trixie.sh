# shellcheck shell=sh
# trixie.sh DIRECTORY SUITE PACKAGE…
#
# Unpacks packages of Debian 13 and their dependencies below DIRECTORY/root, unless they are there. SUITE is
# trixie, or another suite whose versions are preferred. Nothing is installed or configured, so this needs
# neither root nor a Debian 13: apt resolves and verifies with its own state, and dpkg unpacks.
# DIRECTORY/root/version holds the version of the first package.

set -eu
directory=$1 suite=$2
shift 2
# The mirror of this machine has the packages of Debian 13 as well.
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
# The lock lets tests that start at the same time fetch the packages only once.
exec 9>lock
flock 9
[ "$suite $*" != "$(cat root/packages 2>/dev/null)" ] || exit 0

rm -rf root new apt
mkdir -p new apt/lists/partial apt/archives/partial
for each in trixie "$suite"; do
	echo "deb [signed-by=$keyring] $mirror $each main"
done | uniq >apt/sources.list
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
from_trixie install --target-release "$suite" --download-only --yes --no-install-recommends "$@"
for package in apt/archives/*.deb; do
	dpkg -x "$package" new
done
dpkg-deb --field apt/archives/"$1"_*.deb Version >new/version
echo "$suite $*" >new/packages
rm -rf apt
mv new root
