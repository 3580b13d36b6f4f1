#!/bin/sh
# SPDX-License-Identifier: MIT
# test-monitor-container.sh ENTROPY-MONITOR: the monitor as the first process of a container. A verb is a verb there, since
# a CI gate that executes the container's init instead would pass; without one it is the init's place that it was given.
set -u
. "$(dirname -- "$0")/tap.sh"

monitor=$(readlink -f -- "$1")
directory=$(mktemp -d)
trap 'rm -rf -- "$directory"' EXIT
root=$directory/root
busybox=$(command -v busybox) || busybox=

# A root whose init tells that it was executed. What runs in it is in namespaces of its own, /proc and network included.
make_root() {
    mkdir -p "$root/proc" "$root/dev" "$root/sys" "$root/run" "$root/sbin" "$root/bin" "$root/usr/bin" &&
        cp "$busybox" "$root/bin/busybox" && ln -s busybox "$root/bin/sh" &&
        cp "$monitor" "$root/usr/bin/entropy-monitor" &&
        ldd "$monitor" | sed -n 's/.*[[:blank:]]\(\/[^ ]*\) (0x.*/\1/p' | while read -r library; do
            mkdir -p "$root${library%/*}" && cp -L "$library" "$root$library" || return 1
        done &&
        printf '#!/bin/sh\necho "this is init: $*"\nexit 42\n' >"$root/sbin/init" && chmod 755 "$root/sbin/init"
}

contained() {
    user=
    [ "$(id -u)" -eq 0 ] || user='--user --map-root-user'
    # shellcheck disable=SC2086 # none, or two words
    timeout 20 unshare $user --pid --fork --mount --net --root="$root" "$@" >"$directory/out" 2>"$directory/err" </dev/null
}

# exits STATUS NAME WORDS...: in a container with a /proc
exits() {
    wanted=$1
    name=$2
    shift 2
    contained --mount-proc=/proc /usr/bin/entropy-monitor "$@"
    found=$?
    if [ "$found" -eq "$wanted" ]; then ok "$name"; else not_ok "$name" "status $found" "$(cat "$directory/out" "$directory/err")"; fi
}

if [ -z "$busybox" ] || ldd "$busybox" >/dev/null 2>&1 || ! make_root; then
    skip 'a container' 'no static busybox'
    tap_end
fi
if ! contained --mount-proc=/proc /bin/busybox true; then
    skip 'a container' "no namespaces here: $(cat "$directory/err")"
    tap_end
fi

exits 66 'report of no file' report /nonexistent.json
exits 66 'check of no file' check --max-ready=1s /nonexistent.json
exits 64 'check without a limit' check
exits 0 'version' --version
check 'which it prints' grep -q '^entropy-monitor [0-9]' "$directory/out"
exits 0 'help' --help
if [ "$(id -u)" -eq 0 ]; then
    contained /usr/bin/entropy-monitor check --max-ready=1s /nonexistent.json
    found=$?
    if [ "$found" -eq 66 ]; then ok 'a verb without /proc'; else not_ok 'a verb without /proc' "status $found" "$(cat "$directory/out")"; fi
else
    skip 'a verb without /proc' 'only root may have one of its own'
fi

exits 42 'no word: the init' ''
exits 42 'words that are no verbs: the init' single user
check 'which has them' grep -q '^this is init: single user$' "$directory/out"
contained --mount-proc=/proc /usr/bin/entropy-monitor
found=$?
if [ "$found" -eq 42 ]; then ok 'nothing: the init'; else not_ok 'nothing: the init' "status $found" "$(cat "$directory/err")"; fi

tap_end
