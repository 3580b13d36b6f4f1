#!/bin/sh
# SPDX-License-Identifier: MIT
# test-monitor-cli.sh ENTROPY-MONITOR: the verbs as a person or a CI calls them, and what they exit with.
set -u
. "$(dirname -- "$0")/tap.sh"

monitor=$(readlink -f -- "$1")
directory=$(mktemp -d)
trap 'rm -rf -- "$directory"' EXIT
cd "$directory" || exit 1

# exits STATUS NAME COMMAND...
exits() {
    wanted=$1
    name=$2
    shift 2
    "$@" >out 2>err
    found=$?
    if [ "$found" -eq "$wanted" ]; then ok "$name"; else not_ok "$name" "status $found, not $wanted" "$(cat out err)"; fi
}

has() {
    if grep -q -- "$2" "$1"; then ok "$3"; else not_ok "$3" "$(head -c 2000 "$1")"; fi
}

exits 0 'record a command' "$monitor" record -i 1ms -o a.json -- sleep 0.3
exits 7 'the status of the command' "$monitor" record -o b.json -- sh -c 'exit 7'
exits 137 'the signal of the command' "$monitor" record -o b.json -- sh -c 'kill -9 $$'
exits 127 'a command that is not there' "$monitor" record -o b.json -- ./no-such-command
exits 0 'a duration' "$monitor" record -i 10ms -d 200ms -o b.json
exits 0 'until ready' "$monitor" record --until=ready+100ms -o b.json
if [ "$(id -u)" -eq 0 ] && ! grep -q '@guest-entropy/monitor' /proc/net/unix; then
    "$monitor" record --until=boot -o boot.json 2>/dev/null &
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        grep -q '@guest-entropy/monitor' /proc/net/unix && break
        sleep 0.2
    done
    sleep 0.5
    exits 75 'a second recording that waits for the end of the boot' "$monitor" record -u boot -o b.json
    exits 0 'finish' "$monitor" finish
    has boot.json '"end": *"boot"' 'the recording is there when finish returns'
    exits 69 'finish without a recording' "$monitor" finish
else
    skip 'finish' 'not root, or a recording of this boot is under way'
fi
exits 64 'finish that waits for longer than it may' "$monitor" finish --wait=1h
exits 64 'finish with an argument' "$monitor" finish now
exits 73 'a directory that is not there' "$monitor" record -d 1s -o no/b.json
exits 64 'an interval out of range' "$monitor" record -i 1us
exits 64 'an end that is not known' "$monitor" record -u never
exits 64 'no verb' "$monitor"
exits 64 'an unknown verb' "$monitor" dance
exits 0 'help' "$monitor" --help
exits 0 'version' "$monitor" --version

exits 0 'report' "$monitor" report a.json
has out '^RNG model' 'the report names the model'
exits 0 'report from standard input' sh -c "'$monitor' report - <a.json"
exits 66 'report of no file' "$monitor" report none.json
head -c 300 a.json >cut.json
exits 65 'report of a truncated file' "$monitor" report cut.json
has err 'ends in the middle' 'and says that it is truncated'
echo '{"format":"png"}' >png.json
exits 65 'report of a foreign file' "$monitor" report png.json
exits 65 'a picture of a foreign file' "$monitor" plot -o p.svg a.json png.json
if [ -e p.svg ]; then not_ok 'and leaves no picture'; else ok 'and leaves no picture'; fi

exits 0 'a picture of two' "$monitor" plot -o p.svg a.json b.json
has p.svg '</svg>' 'the picture is whole'
exits 0 'a page' "$monitor" plot --html -o p.html a.json
exits 64 'a theme that is not there' "$monitor" plot --theme=pink a.json
if command -v rsvg-convert >/dev/null; then
    exits 0 'PNG' "$monitor" plot -o p.png a.json
    has p.png PNG 'it is a PNG'
else
    skip 'PNG' 'no rsvg-convert'
fi
exits 69 'PNG without its converter' env PATH=/nonexistent "$monitor" plot -o q.png a.json

exits 0 'compare' "$monitor" compare a.json b.json
exits 64 'compare one' "$monitor" compare a.json
exits 0 'limits that are kept' "$monitor" check --max-blocked=1h --junit=j.xml a.json
has j.xml 'failures="0"' 'JUnit says so'
sed -z 's/"blocked": *\[[[:space:]]*\]/"blocked": [{"pid":1,"tid":1,"from_usec":0,"to_usec":50000,"jitter":true,"open":false,"name":"a<b"}]/' \
    a.json >waited.json
exits 1 'a limit that is broken' "$monitor" check --max-blocked=20ms --junit=j.xml waited.json
has j.xml 'a&#60;b waited 50.0 ms' 'JUnit says who'
exits 64 'no limit' "$monitor" check a.json
exits 0 'export' "$monitor" export --csv a.json
has out '^seconds,minimum_bits,maximum_bits$' 'CSV has a head'
exits 0 'export of another table' "$monitor" export --csv=blocked waited.json
has out ',"a<b"$' 'CSV quotes names'
exits 64 'export of no table' "$monitor" export --csv=cats a.json

"$monitor" status --json >status.json
status=$?
if [ "$status" -le 3 ]; then ok "status ($status)"; else not_ok 'status' "exit $status"; fi
check 'status is JSON that agrees' python3 -c "import json; assert json.load(open('status.json'))['code'] == $status"
"$monitor" status --prometheus >metrics
has metrics "^guest_entropy_status $status\$" 'the metrics agree'
mkdir run
echo '{"sources":[{"name":"config-drive","credited_bits":0}]}' >run/seeder.json
echo '{"sources":[{"name":"metadata","credited_bits":512},{"name":"cpu","credited_bits":256}]}' >run/seeder-2.json
echo '{"sources":[{"name":"cpu","credited_bits":300}]}' >run/seeder-initramfs-3.json
RUNTIME_DIRECTORY=$directory/run "$monitor" status >status.txt
has status.txt '^seeder    1068 bits credited, most by metadata$' 'the bits of all runs of the seeder'
exits 64 'status with an argument' "$monitor" status x

tap_end
