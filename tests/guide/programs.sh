#!/usr/bin/env bash
# programs.sh p1_wordstat...: the programs on real input against the standard tools: sequential, and with 1, 2 and 4
# workers. Needs PROGRAMS (where they were built); SMALL set takes less of the same input. With JOBS (the plugin
# guide_programs) and BUILD they run as jobs of a daemon instead; with CLIENTS set, and BUILD, their workers are processes
# of their own, clients of a daemon.
# shellcheck disable=SC2018,SC2019
set -euo pipefail
export LC_ALL=C
work=$(mktemp -d)
children=()
daemon=
cleanup() {
    [ -z "$daemon" ] || { kill "$daemon"; wait "$daemon"; } 2>/dev/null || :
    [ "${#children[@]}" = 0 ] || kill -KILL "${children[@]}" 2>/dev/null || :
    rm -rf "$work"
}
trap cleanup EXIT
ways=("--sequential" "-w 1" "-w 2" "-w 4")
program=

fail() {
    echo "$program: $*" >&2
    exit 1
}

goctl() { "$BUILD/client/goctl/goctl" "$@"; }

# as_job ARGUMENT...: the result of the job, what it told, and its status, as if it were a process.
as_job() {
    local id last
    id=$(printf '%s\n' "$@" | goctl submit "$JOBS:$program" - --retries 1 --limit 200s) || fail "it is not taken"
    goctl wait "$id" >"$work/result" || fail "$* ends as: $(goctl job "$id")"
    last=$(tail -n 1 "$work/result")
    head -c "-$((${#last} + 2))" "$work/result"
    goctl logs "$id" >&2
    return "${last#exit status }"
}

# The file of the program.
file() { if [ -n "${CLIENTS:-}" ]; then echo "$PROGRAMS/w${program#p}"; else echo "$PROGRAMS/$program"; fi; }

# run ARGUMENT...
run() { if [ -n "${JOBS:-}" ]; then as_job "$@"; else "$(file)" "$@"; fi; }

daemon_start() {
    export GOROUTINED_ENDPOINT=ipc://$work/socket
    "$BUILD/daemon/goroutined" --state "$work/state" 2>"$work/daemon" &
    daemon=$!
    until goctl ping >"$work/ping" 2>&1; do kill -0 "$daemon" || fail "$(cat "$work/daemon")"; done
}
[ -z "${JOBS:-}${CLIENTS:-}" ] || daemon_start

# What the clients have made in the daemon is gone with them.
nothing_is_left() {
    local left
    until left=$(goctl stats | awk '$1 ~ /^(channels|handles|contexts)$/ { n += $2 } END { print n }') && [ "$left" = 0 ]; do
        kill -0 "$daemon" || fail "the daemon is gone"
    done
}

# same WHAT WANTED GOT: two files, or an end with their difference.
same() { diff "$2" "$3" >"$work/diff" || { head -20 "$work/diff"; fail "$1 is not as it must be"; }; }

# every_way WANTED ARGUMENT...: the program prints that, whatever runs it. G179:
# "each of P1 to P7 has a switch `--sequential`"
# "it prints the same with it and with 1, 2 and 4 workers, and what the standard tools print"
# "results that must be in the order of the input are"
# "the same with the workers in other processes"
every_way() {
    local wanted=$1 way
    shift
    for way in "${ways[@]}"; do
        # shellcheck disable=SC2086
        run $way "$@" >"$work/got" 2>"$work/err" || fail "$way: status $?: $(cat "$work/err")"
        same "$way" "$wanted" "$work/got"
    done
}

# status_of STATUS COMMAND...
status_of() {
    local wanted=$1 status=0
    shift
    "$@" >"$work/out" 2>"$work/err" || status=$?
    [ "$status" = "$wanted" ] || fail "status $status, not $wanted: $(cat "$work/err")"
}

licences=(/usr/share/common-licenses/*)
tree=/usr/share/doc
[ -z "${SMALL:-}" ] || { licences=("${licences[@]:0:4}"); tree=/usr/share/common-licenses; }

p1_wordstat() {
    local way
    wc -lwc "${licences[@]}" | awk '{print $1,$2,$3,$4}' >"$work/wanted"
    every_way "$work/wanted" "${licences[@]}"
    for way in "${ways[@]}"; do # "a missing file is an error entry and exit 1, the others are counted"
        # shellcheck disable=SC2086
        status_of 1 run $way "${licences[0]}" "$work/none" "${licences[@]:1}"
        same "with a missing file" "$work/wanted" "$work/out"
        grep -q "$work/none: No such file" "$work/err" || fail "the missing file is not told"
    done
}

p2_wordfreq() {
    for f in "${licences[@]}"; do tr -cs A-Za-z '\n' <"$f"; done | tr A-Z a-z | sed '/^$/d' | sort | uniq -c |
        sort -k1,1nr -k2,2 | awk '{print $1,$2}' >"$work/wanted"
    every_way "$work/wanted" "${licences[@]}"
}

# Stops a run by SIGINT while its output is not read, so that it cannot be at its end.
interrupted() {
    local run status=0
    mkfifo "$work/fifo"
    # shellcheck disable=SC2086
    "$(file)" $1 /usr/share/doc >"$work/fifo" 2>/dev/null &
    run=$!
    children+=("$run")
    exec 3<"$work/fifo"
    head -c 100 <&3 >"$work/lines"
    kill -INT "$run"
    until grep -qs '^ShdPnd:.*0$' "/proc/$run/status" || [ ! -d "/proc/$run" ]; do :; done # it has taken the signal
    cat <&3 >>"$work/lines"
    exec 3<&-
    wait "$run" || status=$?
    [ "$status" = 130 ] || fail "interrupted: status $status"
    sha256sum --quiet -c "$work/lines" || fail "interrupted: a line does not hold"
    [ "$(wc -l <"$work/lines")" -lt "$(find /usr/share/doc -type f | wc -l)" ] || fail "it was not interrupted"
    rm "$work/fifo"
}

p3_treesum() {
    find "$tree" -type f -print0 | sort -z | xargs -0 sha256sum >"$work/wanted"
    every_way "$work/wanted" "$tree"
    run "$tree" | sha256sum --quiet -c || fail "sha256sum does not believe it"
    sort "$work/wanted" | uniq -w64 --all-repeated=separate >"$work/groups"
    every_way "$work/groups" --dups "$tree"
    # What is escaped, equal, empty, and not readable by anybody.
    mkdir -p "$work/odd/"$'line\nfeed' && echo x | tee "$work/odd/back\\slash" >"$work/odd/"$'line\nfeed/x' && : >"$work/odd/empty"
    find "$work/odd" -type f -print0 | sort -z | xargs -0 sha256sum >"$work/wanted"
    every_way "$work/wanted" "$work/odd"
    status_of 1 run "$work/none"
    [ -n "${SMALL:-}" ] || { interrupted --sequential; interrupted "-w 4"; }
}

p4_pgz() {
    local way n most blocks
    tar -C "$(dirname "$tree")" -cf "$work/in.tar" "$(basename "$tree")"
    blocks=$((($(stat -c %s "$work/in.tar") + 1048575) / 1048576))
    for way in "${ways[@]}"; do
        # shellcheck disable=SC2086
        run $way "$work/in.tar" >"$work/out.gz" 2>"$work/err" || fail "$way: status $?"
        gzip -t "$work/out.gz"
        gzip -dc "$work/out.gz" | cmp - "$work/in.tar" || fail "$way: gunzip makes something else of it"
        [ "$way" != --sequential ] || cp "$work/out.gz" "$work/first.gz"
        cmp "$work/out.gz" "$work/first.gz" || fail "$way: other bytes"
        n=${way#-w } && [ "$way" != --sequential ] || n=1
        most=$(sed -n "s/^$blocks blocks, at most \([0-9]*\) at once$/\1/p" "$work/err")
        [ "${most:-999}" -le $((n + 2)) ] || fail "$way: $blocks blocks, but: $(cat "$work/err")"
    done
    : >"$work/empty"
    run "$work/empty" 2>/dev/null | gzip -dc | cmp - "$work/empty" || fail "an empty file"
    status_of 1 run "$work/none"
}

# The package log, or where there is none something that looks like it.
package_log() {
    local log=/var/log/dpkg.log
    [ -s $log ] || {
        log=$work/log
        awk '/^Package:/{p=$2} /^Status:/{print "2000-01-01 00:00:00",$4,p}' /var/lib/dpkg/status >"$log"
    }
    cp "$log" "$work/dpkg.log"
}

log_table() { awk '{print $1,$3}' "$1" | sort | uniq -c | awk '{print $1,$2,$3}' >"$work/wanted"; }

followed() {
    local run writer writers=() log=$work/grown
    cp "$work/dpkg.log" "$log"
    : >"$work/progress"
    # shellcheck disable=SC2086
    "$(file)" $1 --follow "$log" >"$work/got" 2>"$work/progress" &
    run=$!
    children+=("$run")
    for writer in 1 2 3; do
        (for i in $(seq 1000); do echo "2001-0$writer-01 00:00:00 wrote$((i % 7)) line $i" >>"$log"; done) &
        writers+=($!)
    done
    wait "${writers[@]}"
    until [ "$(tail -n 1 "$work/progress")" = "$(wc -l <"$log") lines" ]; do kill -0 "$run" || fail "it has ended"; done
    kill -TERM "$run"
    wait "$run" || fail "$1 --follow: status $?"
    log_table "$log"
    same "$1 --follow" "$work/wanted" "$work/got"
}

p5_logstat() {
    local way
    package_log
    log_table "$work/dpkg.log"
    every_way "$work/wanted" "$work/dpkg.log"
    printf 'one two three four\n\n  a\tb  c\nshort line\nno end of line' >"$work/odd.log"
    log_table "$work/odd.log"
    run "$work/odd.log" >"$work/got" 2>/dev/null
    same "an odd log" "$work/wanted" "$work/got"
    [ -n "${JOBS:-}" ] || for way in "${ways[@]}"; do followed "$way"; done # as jobs they get no signals
    status_of 1 run "$work/none"
    status_of 1 run --follow "$work/none"
}

# Starts a server of the site; its address is `url`.
httpd_start() {
    : >"$work/log" # what the last one said
    "$PROGRAMS/p6_httpd" "$work/site" >"$work/log" 2>"$work/err" &
    httpd=$!
    children+=("$httpd")
    until url=$(head -n 1 "$work/log") && [ -n "$url" ]; do kill -0 "$httpd" || fail "the server: $(cat "$work/err")"; done
}

httpd_stop() {
    kill -TERM "$httpd"
    wait "$httpd" || fail "the server ended with status $?"
}

p6_linkcheck() {
    local pages=100 way n m url httpd
    mkdir "$work/site"
    for n in $(seq $pages); do
        {
            for m in $((2 * n)) $((2 * n + 1)) $((n / 2)); do
                [ $m -ge 1 ] && [ $m -le $pages ] && echo "<a href=\"p$m.html\">$m</a>"
            done
            [ $((n % 25)) != 0 ] || echo "<a href=\"gone$n.html\">x</a>"
        } >"$work/site/p$n.html"
    done
    grep -oh 'href="[^"]*"' "$work"/site/*.html | sort -u | sed 's/href="//;s/"//' |
        while read -r n; do if [ -e "$work/site/$n" ]; then echo "200 $n"; else echo "404 $n"; fi; done |
        sort >"$work/wanted"
    [ "$(grep -c ^200 "$work/wanted"),$(grep -c ^404 "$work/wanted")" = 100,4 ] || fail "the site is not as it must be"
    for way in "${ways[@]}"; do
        httpd_start
        # shellcheck disable=SC2086
        run $way "${url}p1.html" | sort >"$work/got" || fail "$way: a page without an answer"
        same "$way" "$work/wanted" "$work/got"
        httpd_stop
        # "the server's access log has each address exactly once"
        sed 1d "$work/log" | sort | uniq -c | awk '$1 != 1' >"$work/twice"
        [ ! -s "$work/twice" ] || fail "$way: $(cat "$work/twice")"
        [ "$(sed 1d "$work/log" | wc -l)" = 104 ] || fail "$way: $(cat "$work/log")"
    done
    status_of 1 run "${url}p1.html" # nobody listens any more
    grep -q "Connection refused" "$work/err" || fail "$(cat "$work/err")"
    httpd_start
    n=${url##*:}
    status_of 1 "$PROGRAMS/p6_httpd" "$work/site" "${n%/}"
    grep -q "Address already in use" "$work/err" || fail "$(cat "$work/err")"
    httpd_stop
}

p7_primes() {
    local limit=5000
    [ -z "${SMALL:-}" ] || limit=500
    seq 2 $limit | factor | awk 'NF==2{print $2}' >"$work/wanted"
    every_way "$work/wanted" $limit
    [ -n "${SMALL:-}" ] || [ "$(wc -l <"$work/wanted"),$(tail -n 1 "$work/wanted")" = 669,4999 ] || fail "669 lines, last 4999"
    [ -n "${CLIENTS:-}" ] || run $limit 2>&1 >/dev/null | grep -qx '1 goroutines live' || fail "the chain is not joined"
    status_of 2 run many
}

for program in "$@"; do
    "$program"
    [ -z "${CLIENTS:-}" ] || nothing_is_left
    echo "$program: as the standard tools"
done
