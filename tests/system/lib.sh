# shellcheck shell=bash
# What the tests with mail servers share. To be read with $source_dir set; ends with 77 where no Postfix can
# be run (unless $without_postfix is set), and cleans up when the test ends.
#
#   $dir                      a folder of the run, $dir/socket in it
#   judge NAME STATUS TEXT    counts one judgement; TEXT is shown when it failed
#   free_port                 prints a port of the loopback interface that nobody serves
#   serve NAME COMMAND...     starts a program and waits for its socket, $dir/socket/NAME; log: $dir/NAME.log
#   postfix_at NAME MILTERS   a private Postfix, $dir/NAME; sets $port
#   send PORT ID XCLIENT-ATTRIBUTES SENDER FILE
#                             hands FILE in, with "X-Test: ID" in front; prints the conversation
#   delivered NAME ID         waits for the mail in $dir/NAME, prints its header with folds undone
#   finish                    ends the programs, looks for sanitizers' reports, counts, sets the exit status

# shellcheck source=/dev/null
. "$source_dir/contrib/lib/private-postfix.sh"
[ -n "${without_postfix:-}" ] || private_postfix_possible || exit 77

dir=$(mktemp -d)
chmod 755 "$dir"
mkdir "$dir/socket"
pids=()
postfixes=()
passed=0
failed=0

cleanup() {
    local name
    for name in "${postfixes[@]+"${postfixes[@]}"}"; do
        private_postfix_stop "$dir/$name"
    done
    [ "${#pids[@]}" -eq 0 ] || kill "${pids[@]}" 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 20000))
        (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

judge() {
    if [ "$2" -eq 0 ]; then
        echo "pass  $1"
        passed=$((passed + 1))
    else
        echo "FAIL  $1"
        printf '%s\n' "$3" | tail -n 40 | sed 's/^/      /'
        failed=$((failed + 1))
    fi
}

serve() {
    local name=$1 try
    shift
    "$@" >>"$dir/$name.log" 2>&1 &
    pids+=($!)
    for try in $(seq 100); do
        [ ! -S "$dir/socket/$name" ] || return 0
        kill -0 "${pids[-1]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "$* does not serve (looked $try times):"
    cat "$dir/$name.log"
    exit 1
}

postfix_at() {
    port=$(free_port)
    postfixes+=("$1")
    private_postfix_start "$dir/$1" "$port" "$2" n || exit 1
}

send() {
    {
        printf 'EHLO localhost\nXCLIENT %s\nEHLO mail.example.com\n' "$3"
        printf 'MAIL FROM:<%s>\nRCPT TO:<me@example.org>\nDATA\nX-Test: %s\n' "$4" "$2"
        cat "$5"
        printf '.\nQUIT\n'
    } | smtp_session "$1"
}

delivered() {
    local try file
    for try in $(seq 300); do
        file=$(grep -lr "^X-Test: $2\$" "$(private_postfix_mailbox "$dir/$1")" 2>/dev/null | head -n 1)
        if [ -n "$file" ]; then
            awk '/^\r?$/ { exit } /^[ \t]/ { sub(/^[ \t]+/, " "); printf "%s", $0; next }
                 { printf "%s%s", (NR > 1 ? "\n" : ""), $0 } END { print "" }' "$file"
            return 0
        fi
        sleep 0.1
    done
    echo "(not delivered after $try looks)"
    tail -n 15 "$dir"/*/maillog
}

finish() {
    local pid
    for pid in "${pids[@]+"${pids[@]}"}"; do
        kill "$pid"
        wait "$pid"
        judge "it ends cleanly" $? "$(cat "$dir"/*.log)"
    done
    pids=()
    ! cat "$dir"/*.log | grep -qE 'Sanitizer|runtime error'
    judge "no sanitizer spoke up" $? "$(cat "$dir"/*.log)"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}
