# Shared by run and soak, here and in dkim/: starts and ends what is measured. Sourced with $build
# and $dir set, and $milter to the milter that is measured.

bin=$build/bin
tests=$build/tests
server=
name_server=
log=$dir/server.log

for program in "$bin/${milter:=spf-milter}" "$tests/load" "$tests/nothing-milter" "$tests/dns-faultd"; do
    [ -x "$program" ] && continue
    echo "$program is not there. Build it first: cmake --preset release && cmake --build build/release" >&2
    exit 66
done
ulimit -n 8192 2>/dev/null || ulimit -n "$(ulimit -H -n)"

# Ends a program of ours by its id and waits for it.
end() {
    [ -n "$1" ] || return 0
    kill "-$2" "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

cleanup() {
    end "$server" KILL
    end "$name_server" KILL
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

await_socket() {
    tries=0
    until "$tests/load" --socket "unix:$dir/s" --terms >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
            echo "the server does not serve:" >&2
            cat "$log" >&2
            exit 1
        fi
        sleep 0.05
    done
}

# start_milter [section.name=value]...: with the transport $transport, the default one unless it is
# set.
start_milter() {
    rm -f "$dir/s"
    set_options="-o milter.transport=${transport:-native}"
    for option in "$@"; do
        set_options="$set_options -o $option"
    done
    # shellcheck disable=SC2086
    "$bin/$milter" -f -c "$dir/conf" -s "unix:$dir/s" -o authres.authserv_id=mx.example.org \
        $set_options >"$log" 2>&1 &
    server=$!
    await_socket
}

# start_nothing STEPS ACTIONS [insert]
start_nothing() {
    rm -f "$dir/s"
    "$tests/nothing-milter" "unix:$dir/s" "$@" >"$log" 2>&1 &
    server=$!
    await_socket
}

# The server that does nothing is killed: libmilter takes seconds to end, and there is nothing to lose.
stop_server() {
    end "$server" "${1:-TERM}"
    server=
}

# start_dns ZONE-FILE [OPTION]...: sets $name_server_address.
start_dns() {
    end "$name_server" TERM
    : >"$dir/dns.out"
    "$tests/dns-faultd" "$@" >"$dir/dns.out" 2>&1 &
    name_server=$!
    tries=0
    until grep -q : "$dir/dns.out"; do
        tries=$((tries + 1))
        [ "$tries" -le 100 ] || { echo "dns-faultd does not serve" >&2; exit 1; }
        sleep 0.05
    done
    name_server_address=$(head -n 1 "$dir/dns.out")
}

# load OPTION...: the driver against the server, its line into $dir/result.
load() {
    "$tests/load" --socket "unix:$dir/s" --pid "$server" "$@" >"$dir/result" || {
        cat "$dir/result" >&2
        echo "the load failed" >&2
        exit 1
    }
}

# figure NAME: a figure of the last run.
figure() {
    tr ' ' '\n' <"$dir/result" | sed -n "s/^$1=//p"
}

# ratio A B
ratio() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b == 0 ? 0 : a / b }'
}
