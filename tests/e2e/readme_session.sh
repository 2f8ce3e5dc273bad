#!/usr/bin/env bash
# The first session of the README: the lines behind "$ " are run, and the whole transcript is compared. An ellipsis in
# what the README shows stands for any text within its line.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
temporary=$(mktemp -d)
finish() {
    local status=$? left
    trap - EXIT
    for left in $(jobs -p); do kill "$left"; done
    wait
    rm -rf "$temporary"
    exit "$status"
}
trap finish EXIT

# The session runs in a folder that looks like a fresh clone in which the demo has built.
ln -s "$BUILD" "$temporary/build-demo"
cp "$top/README.md" "$temporary"
export XDG_RUNTIME_DIR=$temporary/run XDG_STATE_HOME=$temporary/state XDG_CONFIG_HOME=$temporary/config
mkdir -m 700 "$XDG_RUNTIME_DIR"
unset GOROUTINED_ENDPOINT
cd "$temporary" || exit 1

sed -n '/^```console$/,/^```$/p' README.md | sed '1d;$d' >wanted
grep -q '^\$ goroutined ' wanted || { echo "the README has no session"; exit 1; }
sed -n 's/^\$ //p' wanted >lines

exec 3>seen 4<lines
while IFS= read -r line <&4; do
    printf '$ %s\n' "$line" >&3
    eval "$line" >&3 2>&1 </dev/null
done
exec 3>&- 4<&-
wait

python3 - wanted seen <<'END' && exit 0
import re, sys
wanted, seen = (open(name, encoding="utf-8").read() for name in sys.argv[1:])
sys.exit(not re.fullmatch("[^\n]*".join(map(re.escape, wanted.split("…"))), seen))
END
diff wanted seen
echo "the session of the README (<) and what happened (>) differ; the end of the daemon's log:"
tail -20 goroutined.log
exit 1
