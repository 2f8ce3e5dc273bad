#!/usr/bin/env bash
# Rows of tests/guide/ROWS.md in form C, about what is left behind, and what never ends: the clauses are quoted beside their
# checks. What goroutines of one program show is the row's own program, submitted as a job.
. "$(dirname "$0")/lib.sh"
rows=$PLUGINS/rows.so programs=$BUILD/tests/guide/guide_rows.so

# live PREFIX prints how many participants there are: this shell, and every operation that waits for an object so called.
live() { echo $((1 + $(goctl dump --json | grep -c "\"object\":\"$1"))); }
until_live() {
    until [ "$(live "$1")" = "$2" ]; do kill -0 "$daemon" || failed "the daemon is gone"; done
}

# suspects PREFIX [AGE] prints what is suspected to be a leak, one line each; proven_leaks what is proven.
suspects() { goctl leaks --age "${2:-1ns}" --json | grep "\"object\":\"$1" | grep '"report":"suspected"'; }
proven_leaks() { goctl leaks --age 1ns --json | grep "\"object\":\"$1" | grep '"report":"proven"'; }

# run_program FUNCTION runs the program of a row as a job: done, or the shell ends.
run_program() { goctl submit "$programs:$1" --retries 1 --wait >"$temporary/program" 2>&1 || failed "$1: $(cat "$temporary/program")"; }

# report_of FUNCTION CAUSE prints what a job that fails with that cause has reported.
report_of() {
    local id
    id=$(goctl submit "$programs:$1" --retries 1)
    expect 9 "" goctl wait "$id"
    goctl job "$id" | grep -qx "cause     $2" || failed "$(goctl job "$id")"
    goctl job "$id"
}

test_G07_main_returns() {
    local id
    goctl make g07
    goctl make g07.told
    id=$(goctl submit "$rows:leave" g07)
    until_number g07 receivers 3
    goctl send g07.told return
    expect 0 $'child started\nchild started\nchild started\nMain function exiting...\ndeferred function ran\ndeferred function ran\ndeferred function ran' \
        goctl wait "$id"
    # "the others' finish lines never appear"
    same "finish lines" "$(goctl logs "$id" | grep -c "finish line")" 0
    # "how many of them got to start is not fixed": here they had, as the test has waited for them
    # "job: its scope ends, the deferred functions of the rest run, then it is done"
    same "state" "$(state_of "$id")" "done"
    # "job: no goroutine of it is left and their channels are released"
    same "handles" "$(number_of g07 handles) $(number_of g07 receivers)" "0 0"
    same "goroutines" "$(goctl dump --goroutines | grep -c wait_for_ever)" 0
}

test_G104_leak_receiver_without_sender() {
    local receiver report
    goctl make g104
    "$GOCTL" recv g104 2>/dev/null &
    receiver=$!
    until_number g104 receivers 1
    # "the report names 1 goroutine, that it receives, and where it was started": here the process that waits
    # "while the program lives it is suspected, after a time"
    report=$(suspects g104)
    same "reported" "$(wc -l <<<"$report")" 1
    grep -q "\"pid\":$receiver,.*\"program\":\"goctl\",\"verb\":\"recv\",\"reason\":\"channel receive\"" <<<"$report" || failed "$report"
    same "before that time" "$(suspects g104 1h)$(proven_leaks g104)" ""
    kill "$receiver"
    ended "$receiver" 143
    # "at the end of the program, or job, it is proven"
    report=$(report_of G104.left_behind panic)
    grep -q "a goroutine is left waiting" <<<"$report" || failed "$report"
    # "repaired with a context: none"
    goctl ctx new g104
    "$GOCTL" recv g104 --ctx g104 2>/dev/null &
    receiver=$!
    until_number g104 receivers 1
    goctl ctx cancel g104
    ended "$receiver" 6
    same "repaired" "$(suspects g104)" ""
    run_program G104
}

test_G105_leak_sender_without_receiver() {
    local bad sender counts
    counts=$(live g105)
    goctl make g105.bad
    "$GOCTL" send g105.bad 42 2>/dev/null &
    bad=$!
    until_number g105.bad senders 1
    counts="$counts $(live g105)"
    goctl make g105.good --cap 1
    goctl send g105.good 42
    # ""Received: 42" twice, "Sent value" once"
    expect 0 "Received: 42" echo "Received: $(goctl recv g105.good)"
    counts="$counts $(live g105)"
    goctl make g105.best
    goctl ctx new g105
    (goctl send g105.best 42 --ctx g105 && echo "Sent value") >"$temporary/g105" &
    sender=$!
    expect 0 "Received: 42" echo "Received: $(goctl recv g105.best)"
    ended "$sender" 0
    goctl ctx cancel g105
    same "sender" "$(cat "$temporary/g105")" "Sent value"
    # "the counts are 1, 2, 2, 2 and still 2 at the end: nothing collects a goroutine that waits"
    same "counts" "$counts $(live g105) $(live g105)" "1 2 2 2 2"
    # "the report lists exactly the bad one: a send, in the goroutine of send_and_hope": here its process
    same "reported" "$(suspects g105 | wc -l)" 1
    suspects g105 | grep -q "\"pid\":$bad,.*\"verb\":\"send\".*\"object\":\"g105.bad\"" || failed "$(suspects g105)"
    expect 0 42 goctl recv g105.bad
    ended "$bad" 0
    same "at last" "$(live g105)" 1
}

test_G110_leak_detection() {
    local waiting=() pid report held other
    goctl make g110.results
    goctl make g110.requests
    goctl make g110.told
    "$GOCTL" send g110.results 1 &
    waiting+=($!)
    "$GOCTL" range g110.requests &
    waiting+=($!)
    "$GOCTL" recv g110.told 2>/dev/null &
    waiting+=($!)
    until_live g110 4
    # "in a running program the report lists the 3 that are blocked, suspected, once they have waited longer than a given time"
    report=$(suspects g110)
    same "suspected" "$(wc -l <<<"$report")" 3
    same "before" "$(suspects g110 1h)$(proven_leaks g110)" ""
    # "each with its reason, its age and where it was started"
    for pid in "${waiting[@]}"; do
        grep -qE "\"pid\":$pid,.*\"reason\":\"channel (send|receive)\".*\"age_ns\":[0-9]+" <<<"$report" || failed "$report"
    done
    goctl recv g110.results >"$temporary/g110"
    goctl close g110.requests g110.told
    ended "${waiting[0]}" 0
    ended "${waiting[1]}" 0
    ended "${waiting[2]}" 4
    # "and the loop as running"
    # "the helper fails a test that ends with more goroutines than it began with, and prints their stacks"
    run_program G110
    # "when the test has ended they are proven": the job itself tells of them, so that they are "left blocked" while it does
    report=$(report_of G110.left_behind panic)
    same "left" "$(grep -c "left blocked: goroutine" <<<"$report") $(grep -c "3 are left: " <<<"$report")" "3 1"
    # "no false report of who waits on a named channel that others hold"
    goctl make g110.held
    "$GOCTL" recv g110.held >"$temporary/g110" &
    held=$!
    until_number g110.held receivers 1
    same "alone" "$(suspects g110.held | wc -l)" 1
    mkfifo "$temporary/g110.input"
    "$GOCTL" send --lines g110.held <"$temporary/g110.input" & # it could send, but has nothing yet
    other=$!
    exec 5>"$temporary/g110.input"
    until_number g110.held handles 2
    same "with another one" "$(suspects g110.held)$(proven_leaks g110.held)" ""
    echo 1 >&5
    exec 5>&-
    ended "$held" 0
    ended "$other" 0
    same "afterwards" "$(live g110)" 1
}

test_G113_circular_wait() {
    local clients=() pid report
    goctl make g113.one
    goctl make g113.two
    (one=$("$GOCTL" recv g113.two 2>/dev/null) && goctl send g113.one "$one") &
    clients+=($!)
    (two=$("$GOCTL" recv g113.one 2>/dev/null) && goctl send g113.two "$two") &
    clients+=($!)
    until_live g113 3
    # "while the program runs they are suspected once they have waited for long enough"
    # "a circle over two clients is suspected, and both are named"
    report=$(goctl deadlocks --age 1ns --json | grep '"object":"g113')
    same "suspected" "$(grep -c '"report":"suspected"' <<<"$report")" 2
    grep -q '"object":"g113.one"' <<<"$report" && grep -q '"object":"g113.two"' <<<"$report" || failed "$report"
    same "their processes" "$(grep -oE '"pid":[0-9]+' <<<"$report" | sort -u | wc -l)" 2
    same "before" "$(goctl deadlocks --age 1h --json | grep g113)" ""
    goctl close g113.one g113.two
    for pid in "${clients[@]}"; do ended "$pid" 4; done
    # "joined: a deadlock, whose report has all 3"
    report=$(report_of G113.joined deadlock)
    same "stacks" "$(grep -c '^goroutine \|^ *goroutine ' <<<"$report")" 3
    # "not joined: the report lists the 2 that are left, and nobody else"
    # "not joined: when the program ends they are proven, and the test that left them fails"
    report=$(report_of G113.not_joined panic)
    same "left" "$(grep -c "left blocked: goroutine" <<<"$report") $(grep -c "2 are left: " <<<"$report")" "2 1"
}

test_G175_table_of_leaks() {
    local id before
    goctl make g175
    before=$(goctl stats channels --json)
    id=$(goctl submit "$rows:circle" g175)
    until_number g175 receivers 1
    [ "$(goctl stats channels --json)" != "$before" ] || failed "the job has made no channels: $before"
    goctl send g175 end
    goctl wait "$id"
    # "handles that hold each other are freed when the job ends"
    same "channels" "$(goctl stats channels --json)" "$before"
    until_number g175 handles 0
    # "a goroutine that nobody ends is in the report: 1"
    "$GOCTL" recv g175 2>/dev/null &
    until_number g175 receivers 1
    same "reported" "$(suspects g175 | wc -l)" 1
    kill $!
    ended $! 143
    # "repaired with a context: 0"
    goctl ctx new g175 --timeout 1ms
    refuse 3 "deadline" goctl recv g175 --ctx g175
    same "repaired" "$(suspects g175 | wc -l)" 0
    # "1000 channels that nobody lets go of are 1000 allocations, closed or not"
    # "let go of they are none, closed or not"
    # "2000 channels that hold each other stay, though everybody has let go of them"
    # "with the circles opened none is left"
    # "a map that only grows holds all 1000"
    # "a bounded cache holds 10 entries after 1000 were put"
    run_program G175
}

node_start
run_tests
