# Runs a PostgreSQL server for as long as standard input stays open.
#
#   $1  the folder of PostgreSQL's programs
#   $2  the cluster's folder, with the data in $2/data; removed at the end
#   $3  the port to listen on
#
# Says "ready" once connections are accepted. Standard input is a pipe from the
# process that wants the server: the pipe ends when that process closes it, and
# also when the process dies in a way that lets it clean up nothing.
set -eu
trap 'rm -rf "$2"' EXIT

"$1/postgres" -D "$2/data" -p "$3" </dev/null >"$2/log" 2>&1 &
server=$!
until "$1/pg_isready" --quiet --host=127.0.0.1 --port="$3" --username=postgres; do
	kill -0 "$server" 2>/dev/null || {
		cat "$2/log" >&2
		exit 1
	}
	sleep 0.05
done
echo ready

cat >/dev/null
kill -QUIT "$server" # at once, without making the data safe
wait "$server" || true
