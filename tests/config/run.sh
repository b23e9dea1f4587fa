#!/bin/sh
# run.sh BINARY DIR LEAST: every good.* of DIR must pass --check-config; every bad.* must be refused with
# status 78 and the sentence of its first line, "# expect: <part of the sentence>". What
# --show-config prints of a good one must, read again, print the same. There must be at least LEAST files.
set -u
# Not quoted below: it may be a program and its command.
binary=$1 dir=$2 least=$3
failed=0 count=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$1" >&2
    failed=$((failed + 1))
}

for file in "$dir"/good.*; do
    count=$((count + 1))
    said=$($binary -c "$file" --check-config 2>&1)
    status=$?
    [ "$status" -eq 0 ] || fail "$file: status $status, expected 0: $said"
    $binary -c "$file" --show-config >"$work/full"
    $binary -c "$file" --show-config --non-default >"$work/short"
    for form in full short; do
        $binary -c "$work/$form" --show-config >"$work/again"
        cmp -s "$work/full" "$work/again" || fail "$file: its $form form does not load as the same"
    done
done
for file in "$dir"/bad.*; do
    count=$((count + 1))
    expected=$(sed -n '1s/^# expect: //p' "$file")
    [ -n "$expected" ] || fail "$file: has no \"# expect:\" line"
    said=$($binary -c "$file" --check-config 2>&1)
    status=$?
    [ "$status" -eq 78 ] || fail "$file: status $status, expected 78: $said"
    case $said in
    *"$expected"*) ;;
    *) fail "$file: expected \"$expected\", got: $said" ;;
    esac
done
[ "$count" -ge "$least" ] || fail "only $count files found in $dir"
echo "$count files, $failed failures"
[ "$failed" -eq 0 ]
