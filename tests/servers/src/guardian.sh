# shellcheck shell=sh
# guardian.sh DIRECTORY COMMAND ARGUMENT...
#
# Runs a server in a process group of its own for as long as standard input stays open, however
# it comes to be closed: the holder lets go, panics, or is killed in a way it cannot see.
# Then the directory goes too. Prints the server's process id.

PATH=$PATH:/usr/bin:/bin
directory=$1
shift
exec 3<&0 </dev/null

# The signal is for the unlikely case that the guardian itself is killed.
setsid setpriv --pdeathsig KILL "$@" >"$directory/server.log" 2>&1 3<&- &
server=$!

# Its data is thrown away, so the server need not be asked politely. By pid as well as by group,
# for a server that is stopped before it has a group.
stop() {
	kill -s KILL -- "$server" "-$server" 2>/dev/null
}
trap stop HUP INT TERM

{
	cat <&3
	[ -e "$directory/exited" ] || stop
} >/dev/null &
watcher=$!
exec 3<&-
echo "$server"
exec >/dev/null

wait "$server"
echo "$?" >"$directory/exited"
trap '' HUP INT TERM
kill -s KILL -- "-$server" 2>/dev/null

# Until then the holder may read the server's log.
wait "$watcher"
rm -rf -- "$directory"
