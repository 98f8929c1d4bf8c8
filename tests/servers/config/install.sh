# shellcheck shell=sh
# install.sh FROM DIRECTORY
#
# Runs FROM/install.sh in a new DIRECTORY/installed, unless it was already made from the same files.

set -eu
from=$1 directory=$2
mkdir -p "$directory"
cd "$directory"
# The lock lets tests that start at the same time install it only once.
exec 9>lock
flock 9
stamp=$(cat "$from"/* | cksum)
[ "$stamp" != "$(cat installed/stamp 2>/dev/null)" ] || exit 0

rm -rf new installed
mkdir new
# shellcheck disable=SC1091 # each program has its own
(cd new && . "$from/install.sh")
echo "$stamp" >new/stamp
mv new installed
