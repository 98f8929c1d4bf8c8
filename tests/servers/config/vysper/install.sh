# shellcheck shell=sh
# Installs Vysper and the program that starts it into this directory. The files that Maven
# fetches are kept next to it, where tests/run keeps them as well.

: "${from:?}"
mvn --batch-mode --no-transfer-progress --quiet --file "$from" "-Dmaven.repo.local=$PWD/../../maven" \
	"-Ddirectory=$PWD" compiler:compile dependency:copy-dependencies >maven.log 2>&1 || {
	cat maven.log >&2
	exit 1
}
