#!/usr/bin/env bash
# Every command about jobs, with the real daemon and its hosts: output, JSON, exit status.
. "$(dirname "$0")/lib.sh"
trial=$PLUGINS/trial.so

test_submit_wait_prints_the_result() {
    printf 'one two\nTwo\n' >"$temporary/text"
    expect 0 "3 words, 2 lines, 12 bytes" goctl submit "$EXAMPLES/wordcount.so:count" "$temporary/text" --wait
}

test_submit_wait_prints_the_output_when_there_is_no_result() {
    expect 0 "Hello, World!" goctl submit "$trial:hello" World --wait
}

test_submit_prints_the_number_and_wait_takes_it() {
    local id
    id=$(goctl submit "$trial:echo" "twice told")
    expect 0 "twice told" goctl wait "$id"
    expect 0 "twice told" goctl wait "$id"
    same "state" "$(state_of "$id")" done
    goctl submit "$trial:echo" x --json | grep -qE '^\{"job":[0-9]+\}$' || failed "no number in JSON"
}

test_the_argument_is_bytes() {
    head -c 3000 /dev/urandom >"$temporary/argument"
    goctl submit "$trial:echo" - --wait <"$temporary/argument" | cmp -n 3000 - "$temporary/argument" ||
        failed "other bytes came back"
    expect 0 $'a\x01b' eval "goctl submit $trial:echo a b --wait | tr '\\0' '\\1'"
    expect 0 "" goctl submit "$trial:echo" --wait
}

test_a_failed_job_is_status_9_with_its_cause() {
    local id
    refuse 9 "the disk of trial" goctl submit "$trial:fail" --wait --retries 1
    refuse 9 "cause error -5" goctl submit "$trial:fail" --wait --retries 1
    id=$(goctl submit "$trial:fail" --retries 1)
    refuse 9 "goctl logs $id" goctl wait "$id"
    expect 0 "attempt 1" goctl logs "$id"
    goctl wait "$id" --json 2>"$temporary/told" | grep -q '"cause":"error","error":-5,"text":"the disk of trial"' ||
        failed "$(goctl wait "$id" --json)"
}

# G101
test_a_panic_is_status_9() {
    refuse 9 "a bad day" goctl submit "$trial:panic" --wait --retries 1
    refuse 9 "cause panic" goctl submit "$trial:panic" --wait --retries 1
}

test_a_crash_is_status_9_and_the_next_job_runs() {
    refuse 9 "cause crash" goctl submit "$trial:crash" --wait --retries 1
    expect 0 "Hello, you!" goctl submit "$trial:hello" you --wait
}

# G128
test_retries_run_it_again() {
    local id
    expect 0 "at last" goctl submit "$trial:third" --wait --retries 4 --backoff 1ms
    id=$(goctl jobs --json | sed -n 's/.*"job":\([0-9]*\).*"function":"third".*/\1/p' | tail -1)
    expect 0 $'attempt 1\nattempt 2\nattempt 3' goctl logs "$id"
    expect 9 "" goctl submit "$trial:third" --wait --retries 2 --backoff 1ms
}

test_retries_as_a_list_none_or_with_jitter() {
    local id
    expect 0 "at last" goctl submit "$trial:third" --wait --retry 1ms,2ms --jitter 50
    id=$(goctl jobs --json | sed -n 's/.*"job":\([0-9]*\).*"function":"third".*/\1/p' | tail -1)
    goctl job "$id" --json | grep -q '"attempts_max":3' || failed "$(goctl job "$id" --json)"
    expect 9 "" goctl submit "$trial:third" --wait --retry none
    refuse 2 "do not go together" goctl submit "$trial:third" --retry none --retries 3
    refuse 2 '"1ms,,2ms" is not none' goctl submit "$trial:third" --retry 1ms,,2ms
    refuse 2 "is not 0 to 100" goctl submit "$trial:third" --jitter 101
}

test_a_job_is_submitted_once() {
    local id other
    id=$(goctl submit "$trial:wait" --once-key report)
    refuse 1 "job $id has this key" goctl submit "$trial:wait" --once-key report
    expect 0 "$id" goctl submit "$trial:wait" --once-key report --once-policy join
    goctl cancel "$id"
    expect 6 "" goctl wait "$id" 2>/dev/null
    id=$(goctl submit "$trial:echo" a --in 1h --once-key report --once-for 2h)
    other=$(goctl submit "$trial:echo" b --once-key report --once-policy replace --once-for deleted)
    same "state" "$(state_of "$id")" cancelled
    expect 0 "b" goctl wait "$other"
    expect 0 "b" goctl submit "$trial:echo" c --once-key report --once-policy join --wait
    expect 0 "c" goctl submit "$trial:echo" c --once-key report --once-scope all --wait
    refuse 2 "need --once-key" goctl submit "$trial:echo" --once-policy join
    refuse 2 "is not reject" goctl submit "$trial:echo" --once-key k --once-policy else
    refuse 2 "is not end" goctl submit "$trial:echo" --once-key k --once-for ever
}

test_a_job_comes_after_others() {
    local first second last cleanup
    first=$(goctl submit "$trial:need_file" "$temporary/first" --retry 1h,1h)
    second=$(goctl submit "$trial:echo" second --after "$first")
    last=$(goctl submit "$trial:echo" last --after "$first,$second")
    same "state" "$(state_of "$last")" blocked
    goctl job "$last" | grep -q "waits for the end of 2 of 2 jobs" || failed "$(goctl job "$last")"
    cleanup=$(goctl submit "$trial:echo" cleaned --after "$second" --any)
    goctl cancel "$first"
    refuse 6 "job $first, which it comes after, was not done" goctl wait "$second"
    expect 6 "" goctl wait "$last" 2>/dev/null
    expect 0 "cleaned" goctl wait "$cleanup"
    first=$(goctl submit "$trial:echo" first)
    expect 0 "then" goctl submit "$trial:echo" then --after "$first" --wait
    refuse 5 "there is no job 1 to come after" goctl submit "$trial:echo" --after 1
    refuse 2 "is not a list" goctl submit "$trial:echo" --after "$first,"
    refuse 2 "needs --after" goctl submit "$trial:echo" --any
}

test_a_function_that_gives_up_is_not_tried_again() {
    local id
    id=$(goctl submit "$trial:give_up" nonsense --retries 5 --backoff 1ms)
    refuse 9 "an argument without sense: nonsense" goctl wait "$id"
    same "state" "$(state_of "$id")" failed
    expect 0 "attempt 1" goctl logs "$id"
}

test_dead_letters_are_listed_retried_and_purged() {
    local id other
    id=$(goctl submit "$trial:need_file" "$temporary/needed" --retry 1ms)
    other=$(goctl submit "$trial:fail" --retry 1ms)
    refuse 9 "needed" goctl wait "$id"
    expect 9 "" goctl wait "$other" 2>/dev/null
    goctl dead ls --json | grep -q "\"job\":$id,\"state\":\"dead\"" || failed "$(goctl dead ls --json)"
    same "others" "$(goctl dead ls --queue else --json)" ""
    goctl dead show "$id" | grep -q "^failures  2 of 2" || failed "$(goctl dead show "$id")"
    touch "$temporary/needed"
    expect 0 "" goctl dead retry "$id"
    expect 0 "there" goctl wait "$id"
    refuse 2 "only failed and dead jobs" goctl dead retry "$id"
    expect 0 "1 retried" goctl dead retry --all
    expect 9 "" goctl wait "$other" 2>/dev/null
    expect 0 "0 purged" goctl dead purge --older 1h
    expect 0 '{"purged":1}' goctl dead purge --json
    refuse 5 "$other" goctl dead show "$other"
    refuse 2 "or --all" goctl dead retry
    refuse 2 "not both" goctl dead retry "$id" --all
}

test_cancel_ends_a_job_and_its_wait_with_status_6() {
    local id waiter
    id=$(goctl submit "$trial:wait")
    until_state "$id" running
    goctl wait "$id" 2>"$temporary/waiter" &
    waiter=$!
    expect 0 "" goctl cancel "$id" --cause "not today"
    ended $waiter 6
    grep -q "not today" "$temporary/waiter" || failed "$(cat "$temporary/waiter")"
    same "state" "$(state_of "$id")" cancelled
    expect 0 "" goctl cancel "$id"
    id=$(goctl submit "$trial:echo" quick)
    goctl wait "$id" >"$temporary/quick"
    refuse 1 "has ended already: done" goctl cancel "$id"
}

test_a_wait_that_times_out_is_status_3_and_the_job_goes_on() {
    local id
    id=$(goctl submit "$trial:wait")
    refuse 3 "goctl wait $id" goctl wait "$id" --timeout 20ms
    until_state "$id" running
    goctl cancel "$id"
    expect 6 "" goctl wait "$id"
}

test_a_time_limit_is_cause_timeout() {
    refuse 9 "cause timeout" goctl submit "$trial:wait" --limit 50ms --retries 1 --wait
}

# The daemon counts from the word that the function has begun, and gets that word late here.
test_a_time_limit_that_the_host_notices_first_is_cause_timeout() {
    local waiter
    node_of_its_own
    goctl submit "$trial:late" "$node/mark" --limit 50ms --retries 1 --wait 2>"$node/waiter" &
    waiter=$!
    until [ -e "$node/mark" ]; do kill -0 "$waiter" || failed "$(cat "$node/waiter")"; done
    kill -CONT "$daemon"
    ended $waiter 9
    grep -q "cause timeout" "$node/waiter" || failed "$(cat "$node/waiter")"
}

test_a_job_not_due_yet_is_scheduled() {
    local id
    id=$(goctl submit "$trial:hello" later --in 1h)
    same "state" "$(state_of "$id")" scheduled
    expect 0 "" goctl cancel "$id"
    same "state" "$(state_of "$id")" cancelled
}

test_logs_follow_ends_with_the_job() {
    local id reader
    goctl make logs.gate
    id=$(goctl submit "$trial:receive" logs.gate)
    goctl logs "$id" --follow &
    reader=$!
    goctl send logs.gate opened
    ended $reader 0
    expect 0 opened goctl wait "$id"
    goctl logs "$(goctl submit "$trial:hello" you)" --follow --json | grep -q '"offset":0,"output":"Hello, you!\\n"' ||
        failed "no output in JSON"
}

test_select_takes_an_ended_job() {
    local id
    goctl make select.gate
    id=$(goctl submit "$trial:receive" select.gate)
    refuse 8 "select" goctl select --try --job "$id"
    goctl send select.gate go
    expect 0 "$id done" goctl select --job "$id" --timeout 60s
    expect 0 "{\"job\":$id,\"state\":\"done\",\"case\":0}" goctl select --job "$id" --json
}

test_jobs_lists_by_state() {
    local id
    id=$(goctl submit "$trial:echo" listed)
    goctl wait "$id" >"$temporary/listed"
    goctl jobs | head -1 | grep -q '^ID  *STATE' || failed "$(goctl jobs | head -1)"
    goctl jobs --state done | grep -q "^$id *done .*trial.so:echo" || failed "$(goctl jobs)"
    goctl jobs --state ready,running | grep "^$id" && failed "$id is not waiting"
    goctl jobs --json --state done | grep -q "^{\"job\":$id,\"state\":\"done\"" || failed "$(goctl jobs --json)"
    same "limit" "$(goctl jobs --json --limit 1 | wc -l)" 1
}

test_job_shows_all() {
    local id
    id=$(goctl submit "$trial:echo" shown)
    goctl wait "$id" >"$temporary/shown"
    goctl job "$id" | grep -qx 'state     done' || failed "$(goctl job "$id")"
    goctl job "$id" | grep -qx 'result    shown' || failed "$(goctl job "$id")"
    goctl job "$id" --json | grep -q '"created":"20[0-9-]*T[0-9:.]*Z".*"ended":"20.*"result":"shown"' ||
        failed "$(goctl job "$id" --json)"
}

test_unknown_jobs_are_status_5() {
    refuse 5 "42" goctl job 42
    refuse 5 "42" goctl wait 42
    refuse 5 "42" goctl logs 42
    refuse 5 "42" goctl cancel 42
    refuse 5 "goctl jobs" goctl job 42
    refuse 2 "number" goctl job many
}

test_bad_plugins_are_refused() {
    refuse 5 "$temporary/none.so" goctl submit "$temporary/none.so:count"
    echo "not a shared object" >"$temporary/text.so"
    refuse 1 "$temporary/text.so" goctl submit "$temporary/text.so:count"
    refuse 5 "nonsuch" goctl submit "$trial:nonsuch"
    refuse 2 "PLUGIN.so:FUNCTION" goctl submit "$trial"
    refuse 2 "PLUGIN.so:FUNCTION" goctl submit "$trial:"
    cp "$trial" "$temporary/open.so"
    chmod o+w "$temporary/open.so"
    refuse 1 "$temporary/open.so" goctl submit "$temporary/open.so:echo"
}

test_a_job_survives_a_restart_of_the_daemon() {
    local id
    node_of_its_own
    id=$(goctl submit "$trial:echo" "written down")
    goctl wait "$id" >"$temporary/before"
    node_stop KILL
    node_start
    expect 0 "written down" goctl wait "$id"
}

test_cancel_tells_in_json_what_it_asked_for() {
    local id
    id=$(goctl submit "$trial:hello" later --in 1h)
    expect 0 "{\"job\":$id,\"cancelling\":true}" goctl cancel "$id" --json
}

test_IP13_1_a_job_ends_submits_sends_and_acknowledges_at_once() {
    local id
    node_of_its_own
    expect 0 "" goctl make relay --cap 4 --durable
    expect 0 "" goctl send relay first
    id=$(goctl submit "$trial:relay" "relay $trial")
    expect 0 "first" goctl wait "$id"
    node_stop KILL
    node_start
    expect 0 "first" goctl wait "$id"
    expect 0 "relayed" goctl recv relay
    same "what it has submitted" "$(goctl jobs --json | jq -r 'select(.function == "echo") | .state' | grep -cE 'ready|running|done')" 1
}

test_IP13_3_a_transaction_that_cannot_be_fails_the_job_and_leaves_all_else() {
    node_of_its_own
    expect 0 "" goctl make memory --cap 4
    expect 0 "" goctl send memory first
    refuse 9 "is not durable" goctl submit "$trial:relay" memory --wait --retries 0
    expect 0 "first" goctl recv memory
    expect 0 "" goctl make closed --cap 4 --durable
    expect 0 "" goctl send closed first
    expect 0 "" goctl close closed
    refuse 9 "" goctl submit "$trial:relay" closed --wait --retries 0
    expect 0 "first" goctl recv closed
}

test_IP15_9_a_job_ends_and_publishes_at_once() {
    local id
    node_of_its_own
    expect 0 "" goctl topic set 'told.>' durable=yes
    id=$(goctl submit "$trial:tell" told.news)
    expect 0 "told" goctl wait "$id"
    node_stop KILL
    node_start
    expect 0 "told" goctl wait "$id"
    expect 0 "trial news" goctl sub told.news --from start -n 1 --format '%k %p'
    refuse 9 "live is not kept" goctl submit "$trial:tell" live --wait --retries 0
}

node_start
run_tests
