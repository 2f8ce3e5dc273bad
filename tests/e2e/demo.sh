#!/usr/bin/env bash
# The demo on a folder of awkward files: it agrees with the standard tools, notices a wrong count, leaves nothing behind.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
export DEMO_BUILD=$BUILD
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
export TMPDIR=$temporary/tmp
folder=$temporary/folder
mkdir -p "$TMPDIR" "$folder/deep/er" "$folder/empty folder"

failed() {
    echo "FAILED: $*"
    cat "$temporary/output"
    exit 1
}

# Files whose end, name or bytes could be taken wrongly.
printf 'no newline at the end' >"$folder/unended"
printf 'at the start' >"$folder/unended too"
: >"$folder/nothing"
printf '\n\n\n' >"$folder/lines"
head -c 300000 /dev/urandom >"$folder/random"
printf 'zero\0byte caf\xe9 caf\xc3\xa9 A-B_C9d\r\n' >"$folder/deep/bytes"
printf 'odd name\n' >"$folder/deep/"$'new\nline and "quotes"'
printf 'the name of a symlink is not read\n' >"$folder/deep/er/target"
ln -s deep/er/target "$folder/link"
ln -s . "$folder/loop"
mkfifo "$folder/fifo"
for n in $(seq 40); do seq "$n" | sed 's/$/ word Word/' >"$folder/deep/er/$n"; done
# More than one value of counts: thirty thousand different words.
seq 100000 130000 | tr 0-9 a-j >"$folder/many"

"$top/deploy/demo" "$folder" >"$temporary/output" 2>&1 || failed "the demo ended with status $?"
grep -q '^THE SAME: [0-9]* words' "$temporary/output" || failed "no verdict"
grep -q '^49 files, ' "$temporary/output" || failed "not 49 files"

"$top/deploy/demo" --plant-wrong "$folder" >"$temporary/output" 2>&1 && failed "a wrong count went unnoticed"
grep -q '^DIFFERENT: ' "$temporary/output" || failed "no verdict on a wrong count"

"$top/deploy/demo" "$folder/none" >"$temporary/output" 2>&1 && failed "a missing folder went unnoticed"
grep -q "no such folder: $folder/none" "$temporary/output" || failed "no word on the missing folder"

# On a terminal it shows how far it is, on one line.
script -qec "'$top/deploy/demo' '$folder/deep'" /dev/null >"$temporary/output" 2>&1 || failed "the demo on a terminal"
grep -q $'\r' "$temporary/output" || failed "no progress on a terminal"

pgrep -fa "$TMPDIR/" && failed "a process was left behind"
[ -z "$(ls -A "$TMPDIR")" ] || failed "left behind: $(ls -A "$TMPDIR")"
echo "[==========] demo: 4 test(s) run."
