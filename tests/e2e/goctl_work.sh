#!/usr/bin/env bash
# Workers of other languages against a real daemon: the command work, and the one in Python.
. "$(dirname "$0")/lib.sh"

# works [OPTION...] -- COMMAND...: one job of the default queue, if there is one.
works() { goctl work default --try -n 1 "$@"; }

# until_running ID
until_running() { until_state "$1" running; }

test_a_command_has_the_argument_as_its_input_and_gives_the_result() {
    local id
    id=$(goctl submit :up hello)
    same "waits" "$(goctl job "$id" | grep -c 'no worker asks for it')" 1
    expect 0 "$id done" works -- tr a-z A-Z
    expect 0 HELLO goctl wait "$id"
    expect 0 "" works -- cat
}

test_a_command_that_fails_fails_the_job_and_one_status_is_permanent() {
    local id
    id=$(goctl submit :no --retries 2 --backoff 1h)
    expect 0 "$id failed" works -- sh -c 'exit 3'
    same "state" "$(state_of "$id")" scheduled
    goctl job "$id" | grep -q 'the command ended with status 3' || failed "$(goctl job "$id")"
    id=$(goctl submit :no --retries 2 --backoff 1h)
    expect 0 "$id failed" works --permanent 65 -- sh -c 'exit 65'
    same "state" "$(state_of "$id")" failed
}

test_a_worker_takes_only_the_functions_it_names_and_tells_the_command_which() {
    local a b
    a=$(goctl submit :a) b=$(goctl submit :b)
    expect 0 "$b done" works --functions "b c" -- sh -c 'printf "%s %s %s" $GOROUTINED_FUNCTION $GOROUTINED_QUEUE $GOROUTINED_JOB'
    expect 0 "b default $b" goctl wait "$b"
    expect 0 "$a done" works -- true
}

test_a_command_that_is_not_there_costs_the_job_nothing() {
    local id
    id=$(goctl submit :x)
    refuse 127 "cannot run nowhere-to-be-found" works -- nowhere-to-be-found
    same "state" "$(state_of "$id")" ready
    expect 0 "$id done" works -- true
}

test_a_cancel_ends_the_command() {
    local id worker
    id=$(goctl submit :long)
    works -- sleep 1000 >"$temporary/cancelled" &
    worker=$!
    until_running "$id"
    goctl cancel "$id" >/dev/null
    ended "$worker" 0
    same "state" "$(state_of "$id")" cancelled
    same "told" "$(cat "$temporary/cancelled")" "$id failed"
}

# gate NAME: the command of `behind NAME` says on descriptor 9 of the test that it has begun, and gives what that writes to 8.
# Both are the test's: nothing that it has begun waits longer than it lives.
gate() {
    mkfifo "$temporary/$1.begun" "$temporary/$1.gate"
    exec 9<>"$temporary/$1.begun" 8<>"$temporary/$1.gate"
}
behind() { echo "exec <$temporary/$1.gate; echo begun >$temporary/$1.begun; exec cat"; }
until_begun() { local word; read -r word <&9 && same "begun" "$word" begun; }

test_IP4_a_worker_that_is_killed_gives_its_job_to_another() {
    local id worker
    gate killed
    id=$(goctl submit :twice)
    "$GOCTL" work default -n 1 -- sh -c "$(behind killed)" >/dev/null 2>&1 8>&- 9>&- &
    worker=$!
    until_begun
    kill -KILL "$worker"
    until_state "$id" ready
    same "crashes" "$(goctl job "$id" --json | jq .crashes)" 1
    expect 0 "$id done" works -- printf again
    expect 0 again goctl wait "$id"
}

test_a_worker_that_is_asked_to_end_finishes_its_job_first() {
    local id worker
    gate term
    id=$(goctl submit :last)
    "$GOCTL" work default -- sh -c "$(behind term)" >"$temporary/last" 8>&- 9>&- &
    worker=$!
    until_begun
    kill -TERM "$worker"
    printf finished >&8
    exec 8>&-
    wait "$worker"
    same "told" "$(cat "$temporary/last")" "$id done"
    expect 0 finished goctl wait "$id"
}

# arrived: operations that the daemon has got so far, this one included.
arrived() { goctl stats ops.arrived --json | jq '."ops.arrived"'; }

test_a_daemon_in_which_nobody_may_wait_for_now_costs_no_job() {
    local id worker filler before looks=0
    node_of_its_own --test-clock --limit waiters_max=1
    gate busy
    id=$(goctl submit :kept)
    "$GOCTL" work default -n 1 -- sh -c "$(behind busy)" >"$temporary/kept" 8>&- 9>&- &
    worker=$!
    until_begun
    until [ "$(goctl stats ops.parked --json | jq '."ops.parked"')" = 1 ]; do
        kill -0 "$worker" 2>/dev/null || failed "the worker has ended: $(goctl job "$id")"
    done
    kill -STOP "$worker" # its watch ends by time, and another one waits in its place
    trap 'kill -CONT "${worker-}" 2>/dev/null; node_stop' EXIT # the name ends with the test
    goctl advance 11s # a third of its lease is 10 s
    goctl make full
    (while goctl recv full >/dev/null 2>&1; [ $? = 1 ]; do :; done) 8>&- 9>&- & # until it may wait, or nobody is there
    filler=$!
    until_waiting full 1
    kill -CONT "$worker"
    before=$(arrived)
    until looks=$((looks + 1)) && [ $(($(arrived) - before - looks)) -ge 6 ]; do # extended, and refused to watch, thrice
        kill -0 "$worker" 2>/dev/null || failed "the worker has ended: $(goctl job "$id")"
    done
    printf kept >&8
    exec 8>&-
    ended "$worker" 0
    same "told" "$(cat "$temporary/kept")" "$id done"
    goctl close full
    ended "$filler" 0
}

test_a_queue_or_a_function_that_makes_no_sense_is_refused() {
    refuse 5 "no queue nowhere" goctl work nowhere --try -- true
    refuse 2 "is not PLUGIN.so:FUNCTION" goctl submit up hello
    refuse 2 "goctl work" goctl work default
    refuse 2 "--lease is 100ms or more" goctl work default --lease 2ms -- true
    refuse 2 "--permanent is an exit status" goctl work default --permanent 256 -- true
}

test_a_worker_comes_back_with_the_daemon() {
    local first second worker
    node_of_its_own
    "$GOCTL" work default -n 2 -- cat >"$temporary/back" 2>"$temporary/back.errors" &
    worker=$!
    first=$(goctl submit :echo 1)
    until_state "$first" "done"
    node_stop KILL
    node_start
    second=$(goctl submit :echo 2)
    ended "$worker" 0
    same "said" "$(cat "$temporary/back")" "$first done"$'\n'"$second done"
    grep -q "waiting for it to come back" "$temporary/back.errors" || failed "$(cat "$temporary/back.errors")"
    "$GOCTL" work default --no-reconnect -- cat 2>/dev/null &
    worker=$!
    until goctl dump | grep -q 'a job to work on'; do kill -0 "$worker" || failed "it ended"; done
    node_stop KILL
    ended "$worker" 7
    refuse 2 "do not go together" goctl work default --reconnect 1s --no-reconnect -- cat
}

# ends_with_its_daemon OPTION...: whether another one is there at once makes no difference, nor whether a command runs.
ends_with_its_daemon() {
    local id worker
    gate over
    id=$(goctl submit :again)
    "$GOCTL" work default "$@" -- sh -c "$(behind over)" >"$temporary/over" 2>"$temporary/over.errors" 8>&- 9>&- &
    worker=$!
    until_begun
    node_stop KILL
    node_start
    ended "$worker" 7
    same "said" "$(cat "$temporary/over")" "$id lost"
    grep -q "the daemon went away" "$temporary/over.errors" || failed "$(cat "$temporary/over.errors")"
    same "state" "$(state_of "$id")" ready
    expect 0 "$id done" works -- true
}

test_a_worker_that_is_not_to_come_back_ends_with_its_daemon() {
    local id worker
    node_of_its_own
    ends_with_its_daemon --no-reconnect
    "$GOCTL" work default --no-reconnect -- true >"$temporary/over" 2>/dev/null 8>&- 9>&- &
    worker=$!
    until goctl dump | grep -q 'a job to work on'; do kill -0 "$worker" || failed "it ended"; done
    node_stop KILL
    node_start
    id=$(goctl submit :again)
    ended "$worker" 7
    same "said" "$(cat "$temporary/over")" ""
    same "state" "$(state_of "$id")" ready
}

test_a_worker_in_a_context_ends_with_its_daemon() {
    node_of_its_own
    goctl ctx new ends
    ends_with_its_daemon --ctx ends
}

test_a_job_that_was_lost_with_the_daemon_is_not_one_of_those_to_work_on() {
    local id worker
    node_of_its_own
    gate lost
    id=$(goctl submit :again)
    "$GOCTL" work default -n 1 -- sh -c "[ -e $temporary/ran ] || { touch $temporary/ran; $(behind lost); }" \
        >"$temporary/lost" 2>/dev/null 8>&- 9>&- &
    worker=$!
    until_begun
    node_stop KILL
    node_start
    exec 8>&-
    ended "$worker" 0
    same "said" "$(cat "$temporary/lost")" "$id lost"$'\n'"$id done"
}

node_start
run_tests
