# shellcheck shell=sh
# Installs Vysper and the program that starts it into this directory. What Maven fetches is kept beside it, where
# tests/run has it as well.

: "${from:?}"
mvn --batch-mode --no-transfer-progress --quiet --file "$from" "-Dmaven.repo.local=$PWD/../../maven" \
	"-Ddirectory=$PWD" compiler:compile dependency:copy-dependencies >maven.log 2>&1 || {
	cat maven.log >&2
	exit 1
}
