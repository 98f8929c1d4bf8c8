# shellcheck shell=sh
# guardian.sh DIRECTORY COMMAND ARGUMENT...
#
# Runs a server in a process group of its own for as long as standard input stays open. The holder may close
# it, panic or be killed: in each case the server is stopped and the directory is deleted. Prints the server's
# process id.

PATH=$PATH:/usr/bin:/bin
directory=$1
shift
exec 3<&0 </dev/null

# The signal stops the server in the unlikely case that the guardian itself is killed.
setsid setpriv --pdeathsig KILL "$@" >"$directory/server.log" 2>&1 3<&- &
server=$!

# The data is thrown away, so the server can simply be killed. The pid is there for a server that has no
# process group yet.
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

# The holder may read the server's log until it closes the pipe.
wait "$watcher"
rm -rf -- "$directory"
