#!/usr/bin/env bash
# Feeds through goctl: messages become jobs, what a feed waits for, restarts, a daemon that dies at any place, errors.
. "$(dirname "$0")/lib.sh"
trial=$PLUGINS/trial.so

# row NAME MEMBER prints one member of a feed.
row() { goctl feed ls "$1" --json | sed -n "s/.*\"$2\": *\"\{0,1\}\([^\",}]*\).*/\1/p"; }

# until_row NAME MEMBER VALUE waits until the feed has come there.
until_row() {
    until [ "$(row "$1" "$2")" = "$3" ]; do
        kill -0 "$daemon" || failed "the daemon is gone"
    done
}

test_each_message_becomes_a_job() {
    goctl topic set 'one.>' durable=yes
    expect 0 "" goctl feed set one 'one.>' "$trial:echo"
    goctl pub one.a hello
    until_row one jobs 1
    expect 0 hello goctl wait "$(row one last_job)"
    goctl pub live.a nothing
    same waiting "$(row one waiting)" 0
    same pattern "$(row one pattern)" "one.>"
    same state "$(row one state)" runs
    expect 0 "" goctl feed rm one
    refuse 5 "no feed one" goctl feed rm one
}

test_the_argument_may_tell_of_the_message() {
    local told
    goctl topic set 'tell.>' durable=yes
    goctl pub tell.a body --key k1 --header kind=order
    goctl feed set tell 'tell.>' "$trial:echo" --from start --message
    until_row tell jobs 1
    told=$(goctl wait "$(row tell last_job)" | grep -v '^sequence: \|^time_us: ')
    same argument "$told" $'topic: tell.a\nkey: k1\nheader.kind: order\n\nbody'
    goctl feed rm tell
}

test_one_that_is_held_goes_on_where_it_was() {
    goctl topic set 'held.>' durable=yes
    goctl feed set held 'held.>' "$trial:echo" --paused
    goctl pub held.a 1
    goctl pub held.a 2
    same state "$(row held state)" paused
    same waiting "$(row held waiting)" 2
    expect 0 "" goctl feed resume held
    until_row held jobs 2
    expect 0 "" goctl feed pause held
    same state "$(row held state)" paused
    goctl feed set held --from start
    same waiting "$(row held waiting)" 2
    goctl feed rm held
}

test_a_full_queue_makes_it_wait() {
    goctl topic set 'full.>' durable=yes
    goctl queue set narrow waiting_max=1 full=reject
    goctl queue pause narrow
    goctl feed set full 'full.>' "$trial:echo" --queue narrow
    seq 5 | goctl pub full.a --lines
    until_row full state waits
    same text "$(row full text)" "its queue is full"
    same jobs "$(row full jobs)" 1
    goctl queue resume narrow
    until_row full jobs 5
    goctl feed rm full
}

# What is there when all has come to rest: each confirmed message has one job, every other one at most one.
each_once() {
    local messages ids body results
    messages=$(number_of_topic k.x messages)
    until_row ledger jobs "$messages"
    ids=$(goctl jobs --json | sed -n 's/.*"job": *\([0-9]*\).*/\1/p')
    same jobs "$(wc -w <<<"$ids")" "$messages"
    results=$(for id in $ids; do goctl wait "$id"; done | sort)
    same doubles "$(uniq -d <<<"$results")" ""
    for body in $confirmed; do
        grep -qx "$body" <<<"$results" || failed "message $body was confirmed and has no job: $results"
    done
}

# publish_some FIRST LAST: those that are confirmed are known; a daemon that is gone confirms no more.
publish_some() {
    local body
    for body in $(seq "$1" "$2"); do
        if GOROUTINED_CONNECT_TIMEOUT=200ms goctl pub k.x "$body" >/dev/null 2>&1; then confirmed="$confirmed $body"; fi
        kill -0 "$daemon" 2>/dev/null || break
    done
}

test_a_daemon_that_dies_between_message_and_job_loses_none_and_doubles_none() {
    local fault
    for fault in store-{before,after}-commit={1,2,3,4} store-record={2,3,5}; do
        confirmed=
        node_of_its_own
        goctl topic set 'k.>' durable=yes
        goctl feed set ledger 'k.>' "$trial:echo"
        publish_some 1 3
        node_stop
        GOROUTINED_FAULTS=$fault:kill node_start
        publish_some 4 9
        node_stop KILL
        node_start
        each_once
        node_stop KILL
        node_start
        publish_some 10 11
        each_once # what has a job has no other
        node_stop
    done
}

test_a_daemon_that_is_killed_loses_none_and_doubles_none() {
    local turn publisher
    node_of_its_own
    goctl topic set 'k.>' durable=yes
    goctl feed set ledger 'k.>' "$trial:echo" --ahead 3
    confirmed=
    for turn in 1 2 3 4 5; do
        seq "${turn}00" "${turn}39" | GOROUTINED_CONNECT_TIMEOUT=200ms goctl pub k.x --lines >/dev/null 2>&1 &
        publisher=$!
        until [ "$(row ledger jobs)" -ge $((turn * 4)) ]; do
            kill -0 "$daemon" || failed "the daemon is gone"
        done
        node_stop KILL
        if wait "$publisher"; then confirmed="$confirmed $(echo $(seq "${turn}00" "${turn}39"))"; fi
        node_start
    done
    each_once
}

test_mistakes_are_told() {
    refuse 5 "no feed none: a new one needs a pattern and a function" goctl feed set none
    refuse 2 "a new one needs a pattern and a function" goctl feed set none 'k.>'
    refuse 2 "the pattern 'a..b'" goctl feed set none 'a..b' "$trial:echo"
    refuse 5 "has no function none" goctl feed set none 'k.>' "$trial:none"
    refuse 5 "no queue none" goctl feed set none 'k.>' "$trial:echo" --queue none
    refuse 2 "--from is start" goctl feed set none 'k.>' "$trial:echo" --from last
    refuse 2 "PLUGIN.so:FUNCTION" goctl feed set none 'k.>' nothing
    refuse 2 "which?" goctl feed rm
    refuse 2 "it is set, ls" goctl feed sett
    expect 0 "" goctl feed ls --json
}

node_start --queue narrow.concurrency=8
run_tests
