#!/usr/bin/env bash
# Rows of tests/guide/ROWS.md in form C, about time: that of a daemon whose clock moves by `goctl advance` alone. The clauses
# are quoted beside their checks.
. "$(dirname "$0")/lib.sh"

# lines FILE counts its lines; until_lines waits for so many.
lines() { wc -l <"$1"; }
until_lines() {
    until [ "$(lines "$1")" = "$2" ]; do kill -0 "$daemon" || failed "the daemon is gone"; done
}

# tick NAME prints a line for each tick, until the context of that name ends.
tick() { while goctl limit "$1" --every 500ms --ctx "$1" 2>/dev/null; do echo tick; done; }

uptime_cs() { sed 's/ .*//; s/\.//' /proc/uptime; }

test_G39_after_timer_ticker() {
    local ticker timer sleeper ms begin
    : >"$temporary/g39"
    goctl ctx new g39
    goctl limit g39 --every 500ms # a bucket begins full
    tick g39 >"$temporary/g39" &
    ticker=$!
    # "3 ticks, at 500, 1000, 1500 ms"
    for ms in 500 1000 1500; do
        until_waiting g39 1
        goctl advance 499ms
        same "ticks before $ms ms" "$(lines "$temporary/g39")" $((ms / 500 - 1))
        same "waits" "$(goctl dump --object g39 --json | wc -l)" 1
        goctl advance 1ms
        until_lines "$temporary/g39" $((ms / 500))
    done
    # "no tick after stop"
    goctl ctx cancel g39
    ended "$ticker" 0
    goctl advance 5s
    same "ticks" "$(lines "$temporary/g39")" 3
    # "a slow reader finds at most one tick waiting"
    expect 0 "" goctl limit g39 --every 500ms --try
    refuse 8 g39 goctl limit g39 --every 500ms --try
    # "a timer and a sleep end exactly when they are due"
    goctl make g39.silent
    goctl ctx new g39.timer --timeout 700m
    goctl ctx wait g39.timer >"$temporary/g39" &
    timer=$!
    goctl recv g39.silent --timeout 700m 2>/dev/null &
    sleeper=$!
    until_number g39.silent receivers 1
    goctl advance 699m
    goctl ctx info g39.timer | grep -qx 'state     open' || failed "early: $(goctl ctx info g39.timer)"
    same "sleeps" "$(number_of g39.silent receivers)" 1
    goctl advance 1m
    ended "$timer" 3
    ended "$sleeper" 3
    # "nothing fires early on the real clock"
    node_of_its_own
    begin=$(uptime_cs)
    goctl limit g39 --every 200ms
    goctl limit g39 --every 200ms
    [ $(($(uptime_cs) - begin)) -ge 19 ] || failed "a tick came early" # in hundredths of a second, rounded down twice
    begin=$(uptime_cs)
    goctl ctx new g39.real --timeout 200ms
    expect 3 "timeout context deadline exceeded" goctl ctx wait g39.real
    [ $(($(uptime_cs) - begin)) -ge 19 ] || failed "a timer came early"
}

test_G80_rate_limited_producer() {
    local producer consumers=() collector job
    goctl make g80.jobs
    goctl make g80.results
    goctl limit g80 --every 200ms
    (for job in $(seq 20); do goctl limit g80 --every 200ms && goctl send g80.jobs "$job"; done && goctl close g80.jobs) &
    producer=$!
    for _ in 1 2 3 4 5; do
        (goctl range g80.jobs | sed -u 's/^/result /' | goctl send --lines g80.results) &
        consumers+=($!)
    done
    echo "Total results collected: $(goctl range g80.results | wc -l)" >"$temporary/g80" &
    collector=$!
    # "job k is released at k times 200 ms"
    for job in $(seq 20); do
        until_waiting g80 1
        goctl advance 199ms
        same "released before $((200 * job)) ms" "$(number_of g80.jobs sent)" $((job - 1))
        goctl advance 1ms
        until_number g80.jobs sent "$job"
    done
    ended "$producer" 0
    for job in "${consumers[@]}"; do ended "$job" 0; done
    goctl close g80.results
    ended "$collector" 0
    # "the results end, and the total is told: "Total results collected: 20""
    same "told" "$(cat "$temporary/g80")" "Total results collected: 20"
}

# call RESULT is one call of the service through the breaker, which is true or false.
call() { goctl breaker g118 --failures 3 --open 5s -- sh -c 'echo called >>"$0"; "$1"' "$temporary/g118" "$1"; }
is_open() { refuse 10 "circuit breaker is open" call true; }

test_G118_circuit_breaker() {
    local callers=() n
    # "three failures in a row open it"
    # "a named breaker counts the calls of all clients": each command is one
    for n in 1 2 3; do expect 1 "" call false; done
    # "the next calls fail with "circuit breaker is open" and the service is not called: 3 calls"
    is_open
    is_open
    same "calls" "$(lines "$temporary/g118")" 3
    # "after 5 s one probe: if it fails the breaker is open again"
    goctl advance 4999ms
    is_open
    goctl advance 1ms
    expect 1 "" call false
    is_open
    # "of 10 callers at once after the 5 s exactly 1 is the probe, and 9 are refused"
    goctl advance 5s
    goctl make g118.gate
    : >"$temporary/g118.statuses"
    for n in $(seq 10); do
        (goctl breaker g118 --failures 3 --open 5s -- "$GOCTL" range g118.gate 2>/dev/null; echo $? >>"$temporary/g118.statuses") &
        callers+=($!)
    done
    until_lines "$temporary/g118.statuses" 9
    until_number g118.gate receivers 1
    goctl close g118.gate
    for n in "${callers[@]}"; do ended "$n" 0; done
    same "statuses" "$(sort -n "$temporary/g118.statuses" | uniq -c | xargs)" "1 0 9 10"
    # "if it succeeds the breaker is closed"
    # "F, F, S, F, F leaves it closed"
    for n in false false true false false true; do call $n; done
    same "calls" "$(lines "$temporary/g118")" $((3 + 1 + 6))
}

test_G120_token_bucket_with_timeout() {
    local short long
    goctl limit g120 --every 200m # the bucket is empty now
    goctl limit g120 --every 200m --timeout 100m 2>/dev/null &
    short=$!
    until_waiting g120 1
    goctl limit g120 --every 200m --timeout 300m &
    long=$!
    until_waiting g120 2
    goctl advance 99m
    same "wait" "$(goctl dump --object g120 --json | wc -l)" 2
    # "false at 100 minutes with a timeout of 100 minutes"
    goctl advance 1m
    ended "$short" 3
    goctl advance 99m
    same "waits" "$(goctl dump --object g120 --json | wc -l)" 1
    # "true at 200 minutes with one of 300 minutes"
    goctl advance 1m
    ended "$long" 0
    # "the taker that timed out has taken no token: the first one is the other's, the second one comes at 400 minutes"
    goctl advance 199m
    refuse 8 g120 goctl limit g120 --every 200m --try
    goctl advance 1m
    expect 0 "" goctl limit g120 --every 200m --try
}

# pool lends five connections, one after the other; what comes back on g124.put it must have lent.
pool() {
    local -A lent=()
    local case c offer
    while :; do
        offer=()
        for c in 1 2 3 4 5; do [ -n "${lent[$c]-}" ] || { offer=(--send "g124.free=$c"); break; }; done
        case=$(goctl select --recv g124.put "${offer[@]}" 2>/dev/null) || break
        case $case in
        g124.free) lent[$c]=yes ;;
        *)
            c=${case#* }
            if [ -n "${lent[$c]-}" ]; then goctl send g124.verdict "taken back"; else goctl send g124.verdict refused; fi
            unset "lent[$c]"
            ;;
        esac
    done
    goctl close g124.free
}

# get takes a connection, or says why there is none.
get() {
    local status=0
    goctl recv g124.free "$@" 2>/dev/null || status=$?
    case $status in
    3) echo "timeout waiting for connection" ;;
    4) echo "pool is closed" ;;
    esac
    return $status
}

# put gives one back; one at a time, so that each hears its own verdict.
put() { goctl lock g124 -- sh -c '"$0" send g124.put "$1" && "$0" recv g124.verdict' "$GOCTL" "$1"; }

use_one() {
    local c
    c=$(get)
    echo "taken $c" >>"$temporary/g124"
    goctl range g124.served
    echo "given $c" >>"$temporary/g124"
    same "verdict" "$(put "$c")" "taken back"
}

test_G124_connection_pool() {
    local owner patient users=() n
    for n in free put verdict served; do goctl make g124.$n; done
    : >"$temporary/g124"
    pool &
    owner=$!
    for n in $(seq 10); do
        use_one &
        users+=($!)
    done
    until_number g124.served receivers 5
    until_number g124.free receivers 5
    # "when all are taken: "timeout waiting for connection" after five hours of the daemon's clock"
    get --timeout 5h >"$temporary/g124.patient" &
    patient=$!
    until_number g124.free receivers 6
    goctl advance 5h
    ended "$patient" 3
    same "told" "$(cat "$temporary/g124.patient")" "timeout waiting for connection"
    goctl close g124.served
    # "all 10 are served"
    for n in "${users[@]}"; do ended "$n" 0; done
    # "at most 5 connections are in use"
    # "no connection is held by two"
    awk '$1 == "taken" { if (held[$2]++ || ++used > 5) exit 1; got++ } $1 == "given" { held[$2]--; used-- }
        END { exit got != 10 || used }' "$temporary/g124" || failed "$(cat "$temporary/g124")"
    # "a put of a foreign connection, or a second put, is refused"
    expect 0 refused put 6
    expect 0 refused put 1
    # "close wakes those who wait with "pool is closed""
    for n in 1 2 3 4 5; do expect 0 $n get; done
    get >"$temporary/g124.patient" &
    patient=$!
    until_number g124.free receivers 1
    goctl close g124.put
    ended "$patient" 4
    same "told" "$(cat "$temporary/g124.patient")" "pool is closed"
    ended "$owner" 0
}

node_start --test-clock
run_tests
