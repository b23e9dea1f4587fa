# shellcheck shell=bash
# A private Postfix instance in a folder of its own, on a loopback port: nothing of
# a system Postfix (configuration, queue, port 25) is read or touched.
#
#   private_postfix_possible            0 when one can be run here; else says why not and returns 1
#   private_postfix_start DIR PORT MILTERS [CHROOT]
#                                       MILTERS as in smtpd_milters; CHROOT y or n (default y, as Debian has it);
#                                       more main.cf lines may stand in $PRIVATE_POSTFIX_MAIN_CF,
#                                       more services in $PRIVATE_POSTFIX_MASTER_CF
#   private_postfix_stop DIR
#   private_postfix_mailbox DIR         the folder into which mail for *@example.org is delivered, a file each
#   smtp_session PORT < COMMANDS        speaks SMTP line by line, prints the whole conversation

private_postfix_possible() {
    if [ "$(id -u)" -ne 0 ]; then
        echo "Postfix can only be started by root." >&2
        return 1
    fi
    if ! command -v postfix >/dev/null 2>&1 && ! [ -x /usr/sbin/postfix ]; then
        echo "Postfix is not installed." >&2
        return 1
    fi
    return 0
}

private_postfix_start() {
    local dir=$1 port=$2 milters=$3 chroot=${4:-y}
    local uid gid
    uid=$(id -u nobody)
    gid=$(id -g nobody)
    mkdir -p "$dir/etc" "$dir/spool" "$dir/data" "$dir/mail/box"
    chmod 755 "$dir" "$dir/etc" "$dir/spool" "$dir/mail"
    chown postfix "$dir/data"
    chown -R nobody "$dir/mail/box"
    cat >"$dir/etc/main.cf" <<EOF
compatibility_level = 3.6
queue_directory = $dir/spool
data_directory = $dir/data
maillog_file = $dir/maillog
maillog_file_prefixes = $dir
multi_instance_name = postfix-authmilter-$port
multi_instance_enable = yes
myhostname = mx.example.org
mydestination =
mynetworks = 127.0.0.0/8 [::1]/128
inet_interfaces = loopback-only
inet_protocols = all
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtpd_authorized_xclient_hosts = 127.0.0.0/8 [::1]/128
smtpd_relay_restrictions = permit_auth_destination, reject
smtpd_recipient_restrictions = permit_auth_destination, reject
smtpd_client_connection_rate_limit = 0
smtputf8_enable = yes
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_base = $dir/mail
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:$uid
virtual_gid_maps = static:$gid
virtual_minimum_uid = 1
smtpd_milters = $milters
milter_protocol = 6
milter_default_action = accept
${PRIVATE_POSTFIX_MAIN_CF:-}
EOF
    cat >"$dir/etc/master.cf" <<EOF
127.0.0.1:$port inet n - $chroot - - smtpd
[::1]:$port inet n - $chroot - - smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
error     unix - - n - - error
retry     unix - - n - - error
virtual   unix - n n - - virtual
anvil     unix - - n - 1 anvil
showq     unix n - n - - showq
postlog   unix-dgram n - n - 1 postlogd
${PRIVATE_POSTFIX_MASTER_CF:-}
EOF
    postfix -c "$dir/etc" start >"$dir/postfix.out" 2>&1 || {
        echo "The private Postfix did not start:" >&2
        cat "$dir/postfix.out" "$dir/maillog" >&2 2>/dev/null
        return 1
    }
    local try
    for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        if (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            return 0
        fi
        sleep 0.25
    done
    echo "The private Postfix does not answer on port $port (tried $try times)." >&2
    return 1
}

private_postfix_stop() {
    [ -f "$1/etc/main.cf" ] || return 0
    postfix -c "$1/etc" stop >>"$1/postfix.out" 2>&1 || true
}

private_postfix_mailbox() {
    echo "$1/mail/box/new"
}

# Reads one whole SMTP reply (continuation lines included) from descriptor 8.
smtp_read_reply() {
    local line
    while IFS= read -r -t 60 -u 8 line; do
        line=${line%$'\r'}
        echo "S: $line"
        case $line in
        [0-9][0-9][0-9]-*) ;;
        *) return 0 ;;
        esac
    done
    echo "S: (connection closed)"
    return 1
}

# Sends each input line and reads a reply; between a line "DATA" and a line "." no reply is awaited.
# The line "RAW text" is sent without waiting for its reply; "HANGUP" closes the connection at once.
smtp_session() {
    local port=$1 host=${2:-127.0.0.1} line in_data=0 status=0
    exec 8<>"/dev/tcp/$host/$port" || return 1
    smtp_read_reply || status=1
    while [ "$status" -eq 0 ] && IFS= read -r line; do
        if [ "$line" = HANGUP ]; then
            break
        fi
        if [ "$in_data" -eq 0 ] && [ "${line#RAW }" != "$line" ]; then
            printf '%s\r\n' "${line#RAW }" >&8
            continue
        fi
        [ "$in_data" -eq 1 ] || echo "C: $line"
        printf '%s\r\n' "$line" >&8 2>/dev/null || { status=1; break; }
        if [ "$in_data" -eq 1 ] && [ "$line" != . ]; then
            continue
        fi
        in_data=0
        local reply
        reply=$(smtp_read_reply; echo "x$?")
        [ "${reply##*x}" = 0 ] || status=1
        reply=${reply%x*}
        printf '%s' "$reply"
        case $line:$reply in
        [Dd][Aa][Tt][Aa]:*"S: 354"*) in_data=1 ;;
        esac
    done
    exec 8>&-
    return "$status"
}
