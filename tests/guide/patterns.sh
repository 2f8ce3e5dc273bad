#!/usr/bin/env bash
# G178 The summary of patterns, as somebody finds it who has installed the package. Needs BUILD (a built tree).
set -euo pipefail
export LC_ALL=C
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

# What each prints, in the order of sort(1): which line comes first is for its own checks.
text_of() {
    case $1 in
    "worker pool") echo "9 jobs, at most 3 at work"; yes "worker ends" | head -3 ;;
    "pipeline") printf '%s\n' 2 8 18 32 50 "3 stages have work at the same time" ;;
    "producer and consumers") echo "All work completed"; seq -f 'Result: %g' 2 2 20 ;;
    "publish and subscribe")
        for reader in "Ann: News" "Bob: News" "Eve: Sports"; do
            seq -f "$reader update %g" 5
            echo "${reader%% *} end"
        done ;;
    "circuit breaker") yes "circuit breaker is open" | head -3 ;;
    "rate limiter") yes "request done" | head; echo "requests started in the first second: 7, in the second: 3" ;;
    "load balancer") printf 'W%d: %d\n' 0 1 0 4 0 7 0 10 1 2 1 5 1 8 2 3 2 6 2 9 ;;
    *) fail "a pattern that nobody has told of: $1" ;;
    esac | sort
}

DESTDIR=$root meson install -C "$BUILD" --no-rebuild >"$root/log" 2>&1 || fail "$(cat "$root/log")"
pc=$(dirname "$(find "$root" -name goroutine.pc)")
export PKG_CONFIG_PATH=$pc PKG_CONFIG_SYSROOT_DIR=$root LD_LIBRARY_PATH=${pc%/pkgconfig}
goctl=$(find "$root" -path '*/bin/goctl')
flags=$(pkg-config --cflags --libs goroutine)

# "one example of each of seven patterns is installed with the documentation, and listed"
# "the list is that of `goctl examples`"
"$goctl" examples --json >"$root/list"
[ "$(wc -l <"$root/list")" = 7 ] || fail "$(cat "$root/list")"
[ "$("$goctl" examples | wc -l)" = 7 ] || fail "$("$goctl" examples)"
folder=$(dirname "$root$(sed -n '1s/.*"file":"\([^"]*\)".*/\1/p' "$root/list")")
[ "$(find "$folder" -name 'g[0-9]*.c' | wc -l)" = 7 ] || fail "installed: $(ls "$folder")"

while IFS=$'\t' read -r pattern file; do
    # "each builds there, against what is installed alone", as README says
    # shellcheck disable=SC2086
    (cd "$folder" && ${CC:-cc} -D_GNU_SOURCE -fexceptions -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
        -Werror -o "$root/example" "$(basename "$file")" guide.c lines.c main.c $flags) || fail "$pattern does not build"
    for procs in 1 2 4; do
        # "with 1, 2 and 4 processors each prints its text, and its exit status is 0"
        "$root/example" --procs $procs >"$root/out" || fail "$pattern with $procs processors: status $?"
        sort "$root/out" | diff - <(text_of "$pattern") || fail "$pattern with $procs processors prints something else"
    done
    echo "$pattern: as it must be"
done < <(sed 's/.*"pattern":"\([^"]*\)","file":"\([^"]*\)".*/\1\t\2/' "$root/list")
