# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# TAP for the shell tests: . tap.sh, then ok/not_ok/skip per case, and tap_end as the last command.
# Each program ends with the line that tests/run-summary adds up.

tap_passed=0
tap_failed=0
tap_skipped=0

tap_number() {
    echo $((tap_passed + tap_failed + tap_skipped))
}

ok() {
    tap_passed=$((tap_passed + 1))
    echo "ok $(tap_number) - $*"
}

# not_ok NAME [WHY...]
not_ok() {
    tap_failed=$((tap_failed + 1))
    echo "not ok $(tap_number) - $1"
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
}

# skip NAME REASON: a failure where MUST_WORK=1
skip() {
    if [ "${MUST_WORK:-}" = 1 ]; then
        not_ok "$1" "cannot run here: $2"
    else
        tap_skipped=$((tap_skipped + 1))
        echo "ok $(tap_number) - $1 # SKIP $2"
    fi
}

# check NAME COMMAND...: ok when the command succeeds
check() {
    tap_name=$1
    shift
    if tap_output=$("$@" 2>&1); then ok "$tap_name"; else not_ok "$tap_name" "$tap_output"; fi
}

tap_end() {
    echo "# counts passed=$tap_passed failed=$tap_failed skipped=$tap_skipped"
    if [ "$tap_failed" -gt 0 ] || [ $((tap_passed + tap_skipped)) -eq 0 ]; then
        exit 1
    fi
    [ "$tap_passed" -gt 0 ] || exit 77
    exit 0
}
