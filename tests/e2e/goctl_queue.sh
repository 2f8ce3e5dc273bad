#!/usr/bin/env bash
# The command queue against a real daemon: settings and their origins over a restart, a pause, a purge.
. "$(dirname "$0")/lib.sh"
trial=$PLUGINS/trial.so

# setting QUEUE NAME prints value and origin.
setting() { goctl queue info "$1" --json | jq -r ".settings.$2 | \"\(.value) \(.origin)\""; }
state() { goctl queue info "$1" --json | jq -r ".state.$2"; }

test_settings_have_an_origin_and_outlive_a_restart() {
    node_of_its_own --queue mail.concurrency=4 --queue mail.rate=9
    same "of the configuration" "$(setting mail concurrency)" "4 config"
    same "of nobody" "$(setting mail weight)" "1 default"
    expect 0 "" goctl queue set mail concurrency=8 full=reject
    node_stop KILL
    node_start --queue mail.concurrency=4
    same "set" "$(setting mail concurrency)" "8 set"
    same "set, a word" "$(setting mail full)" "reject set"
    expect 0 "" goctl queue set mail concurrency=
    same "taken back" "$(setting mail concurrency)" "4 config"
    goctl queue ls | grep -q ' mail$' || failed "mail is not listed"
    node_stop
    expect 0 "$node/state: 0 faults" "$GOROUTINED" --fsck "$node/state"
}

test_a_queue_says_how_its_jobs_are_tried_again() {
    local id
    node_of_its_own --queue mail.attempts=4
    expect 0 "" goctl queue set mail delays_ms=1,1 jitter=10 time_limit_ms=60000
    node_stop KILL
    node_start --queue mail.attempts=4
    same "of the configuration" "$(setting mail attempts)" "4 config"
    same "a list" "$(setting mail delays_ms)" "1,1 set"
    id=$(goctl submit "$trial:fail" --queue mail)
    same "dead" "$(goctl wait "$id" >/dev/null; goctl job "$id" --json | jq -r '"\(.state) \(.failures)"')" "dead 4"
    id=$(goctl submit "$trial:fail" --queue mail --retry none)
    same "failed" "$(goctl wait "$id" >/dev/null; goctl job "$id" --json | jq -r '"\(.state) \(.failures)"')" "failed 1"
    expect 0 "" goctl queue set mail delays_ms= jitter=
    same "of nobody" "$(setting mail delays_ms)" "none default"
    refuse 2 "is not none, or a list of milliseconds" goctl queue set mail delays_ms=1,x
}

breaker() { goctl queue info mail --json | jq -r '.breakers[] | "\(.function) \(.state)"'; }

test_a_breaker_opens_and_is_told_of() {
    local id
    node_of_its_own --queue mail.breaker_open_ms=86400000
    expect 0 "" goctl queue set mail breaker_failures=2
    for _ in 1 2; do goctl submit "$trial:fail" --queue mail --retry none --wait >/dev/null; done
    same "open" "$(breaker)" "fail open"
    id=$(goctl submit "$trial:fail" --queue mail)
    goctl job "$id" | grep -q "the circuit breaker of its function is open, whose last 2 runs failed" ||
        failed "no reason: $(goctl job "$id")"
    goctl submit "$trial:hello" --queue mail --wait >/dev/null || failed "it keeps another function"
    goctl health | grep -q '^circuit_breakers: ERROR - 1 ' || failed "health: $(goctl health)"
    expect 0 "" goctl queue set mail breaker_failures=0
    goctl wait "$id" >/dev/null
    same "ended" "$(goctl job "$id" --json | jq -r .state)" failed
    same "closed" "$(breaker)" ""
    goctl health >/dev/null || failed "health: $(goctl health)"
}

test_kill_9_takes_what_its_queue_allows() {
    local queue i id
    node_of_its_own --queue safe.durability=full --queue quick.durability=process
    node_stop KILL
    node_start --queue safe.durability=full --queue quick.durability=process --queue brief.durability=none
    for queue in safe quick brief; do
        goctl queue pause "$queue"
        for i in 1 2 3 4 5; do echo "{\"argument\":\"$i\"}"; done >"$node/jobs"
        id=$(goctl submit --bulk "$node/jobs" "$trial:echo" --queue "$queue" | tail -1)
        same "$queue" "$(goctl queue info "$queue" --json | jq -r .state.waiting)" 5
    done
    refuse 2 "is kept less safely" goctl submit "$trial:hello" --queue safe --after "$id"
    node_stop KILL
    node_start --queue safe.durability=full --queue quick.durability=process --queue brief.durability=none
    same "full" "$(goctl queue info safe --json | jq -r .state.waiting)" 5
    same "process" "$(goctl queue info quick --json | jq -r .state.waiting)" 5
    same "none" "$(goctl queue info brief --json | jq -r .state.waiting)" 0
    for queue in safe quick brief; do goctl queue resume "$queue"; done
    id=$(goctl submit "$trial:hello" --queue brief)
    goctl wait "$id" >/dev/null || failed "a job of memory does not run"
    same "its end" "$(goctl job "$id" --json | jq -r .state)" "done"
    node_stop KILL
    node_start --queue brief.durability=none
    refuse 5 "" goctl job "$id"
    node_stop
    expect 0 "$node/state: 0 faults" "$GOROUTINED" --fsck "$node/state"
}

test_a_queue_is_made_and_removed_while_the_daemon_runs() {
    local id
    node_of_its_own
    refuse 5 "no queue mail; \`goctl queue set\`" goctl submit "$trial:hello" --queue mail
    goctl queue set mail weight=2 2>"$node/said"
    same "what is made is told" "$(cat "$node/said")" "goctl: made queue mail"
    expect 0 "" goctl queue set mail weight=3
    id=$(goctl submit "$trial:hello" --queue mail)
    goctl wait "$id" >/dev/null
    node_stop KILL
    node_start
    same "kept" "$(setting mail weight)" "3 set"
    expect 0 "" goctl queue rm mail
    same "the end of its job" "$(goctl job "$id" --json | jq -r .state)" "done"
    refuse 5 "no queue mail" goctl queue info mail
    refuse 10 "stands in the configuration" goctl queue rm default
    node_stop KILL
    node_start
    refuse 5 "no queue mail" goctl queue info mail
    node_stop
    expect 0 "$node/state: 0 faults" "$GOROUTINED" --fsck "$node/state"
}

test_wrong_settings_and_queues_are_refused_in_words() {
    refuse 2 "there is no such setting of a queue" goctl queue set default colour=3
    refuse 2 "is not a number of jobs from 1" goctl queue set default concurrency=0
    refuse 5 "no queue nowhere" goctl queue info nowhere
    refuse 2 "which?" goctl queue pause
    refuse 2 'there is no "paint"' goctl queue paint default
}

test_a_paused_queue_starts_nothing_and_a_purge_empties_it() {
    local id
    expect 0 "" goctl queue pause default
    id=$(goctl submit "$trial:hello")
    same "waits" "$(state default waiting)" 1
    expect 0 "1 jobs were cancelled" goctl queue purge default
    same "state" "$(goctl job "$id" --json | jq -r .state)" cancelled
    expect 0 "" goctl queue resume default
    goctl submit "$trial:hello" --wait >/dev/null || failed "it does not go on"
}

test_a_pause_may_refuse_submits_and_ends_with_its_time() {
    node_of_its_own --test-clock
    expect 0 "" goctl queue pause default --for 5m --submits
    refuse 10 "is paused and takes no job" goctl submit "$trial:hello"
    goctl advance 5m >/dev/null || failed "the clock stands"
    goctl submit "$trial:hello" --wait >/dev/null || failed "the pause does not end"
}

node_start
run_tests
