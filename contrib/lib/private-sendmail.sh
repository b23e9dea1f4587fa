# shellcheck shell=bash
# A private Sendmail in a folder of its own. To be read with $source_dir set; nothing of a system's is touched.
#
#   private_sendmail_find FOLDER   finds Sendmail: installed, or unpacked in FOLDER by contrib/unpack-sendmail;
#                                  else says what is missing and returns 1
#   private_sendmail_start DIR LINES
#                                  LINES are m4 lines of its configuration: DAEMON_OPTIONS, MAIL_FILTER, ...; mail for
#                                  *@example.org that is an alias in DIR/aliases is delivered into DIR/box, a file each
#   private_sendmail_aliases DIR   takes DIR/aliases over
#   private_sendmail_stop DIR

private_sendmail_find() {
    local root
    for root in "" "$1"; do
        sendmail_program=$root/usr/libexec/sendmail/sendmail
        sendmail_cf=$root/usr/share/sendmail/cf
        if [ -x "$sendmail_program" ] && [ -d "$sendmail_cf" ] && command -v m4 >/dev/null; then
            if ldd "$sendmail_program" | grep 'not found' >&2; then
                return 1
            fi
            return 0
        fi
    done
    echo "Sendmail (or m4) is not installed, nor unpacked in $1 (contrib/unpack-sendmail)." >&2
    return 1
}

private_sendmail_start() {
    local dir=$1 lines=$2 try
    mkdir -p "$dir/queue" "$dir/box"
    chmod 700 "$dir/queue"
    chmod 777 "$dir/box"
    echo example.org >"$dir/names"
    cat >"$dir/deliver" <<EOF
#!/bin/sh
file=\$(mktemp "$dir/box/.XXXXXXXX") && cat >"\$file" && mv "\$file" "$dir/box/\$\$"
EOF
    chmod 755 "$dir" "$dir/deliver"
    echo "me: \"|$dir/deliver\"" >"$dir/aliases"
    cat >"$dir/sendmail.mc" <<EOF
include(\`$sendmail_cf/m4/cf.m4')
OSTYPE(\`linux')
define(\`confDOMAIN_NAME', \`mx.example.org')
define(\`confCW_FILE', \`$dir/names')
define(\`QUEUE_DIR', \`$dir/queue')
define(\`confPID_FILE', \`$dir/pid')
define(\`ALIAS_FILE', \`$dir/aliases')
define(\`STATUS_FILE', \`')
define(\`confHOST_STATUS_DIRECTORY', \`')
define(\`confTO_IDENT', \`0')
define(\`confTO_QUEUERETURN', \`1h')
define(\`confDELIVERY_MODE', \`interactive')
define(\`confREFUSE_LA', \`1000')
define(\`confQUEUE_LA', \`1000')
define(\`confDONT_BLAME_SENDMAIL', \`TrustStickyBit')
FEATURE(\`no_default_msa')
FEATURE(\`nocanonify')
FEATURE(\`accept_unresolvable_domains')
FEATURE(\`use_cw_file')
$lines
MAILER(\`local')
MAILER(\`smtp')
EOF
    if ! m4 -D_CF_DIR_="$sendmail_cf/" "$dir/sendmail.mc" >"$dir/sendmail.cf" 2>"$dir/out" ||
        ! private_sendmail_aliases "$dir" >>"$dir/out" 2>&1; then
        echo "Sendmail cannot be configured:" >&2
        cat "$dir/out" >&2
        return 1
    fi
    "$sendmail_program" -C"$dir/sendmail.cf" -bD >>"$dir/out" 2>&1 &
    for try in $(seq 100); do
        [ ! -s "$dir/pid" ] || return 0
        sleep 0.1
    done
    echo "Sendmail does not start (looked $try times):" >&2
    cat "$dir/out" >&2
    return 1
}

private_sendmail_aliases() {
    "$sendmail_program" -C"$1/sendmail.cf" -bi
}

private_sendmail_stop() {
    [ ! -s "$1/pid" ] || kill "$(head -n 1 "$1/pid")" 2>/dev/null || true
}
