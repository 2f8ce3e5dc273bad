#!/usr/bin/env bash
# goctl submit --bulk, with the real daemon and its hosts: all jobs of the lines or none, what a wrong line is told.
. "$(dirname "$0")/lib.sh"
trial=$PLUGINS/trial.so

# lines LINE... writes a file of them.
lines() { printf '%s\n' "$@" >"$temporary/jobs"; }

jobs_there() { goctl jobs --json | wc -l; }

# none STATUS WORDS ARG... expects that to be refused, and no job more.
none() {
    local before status=$1 words=$2
    shift 2
    before=$(jobs_there)
    refuse "$status" "$words" goctl submit --bulk "$@"
    same "jobs" "$(jobs_there)" "$before"
}

test_each_line_is_a_job_in_its_order() {
    local ids
    lines "{\"function\":\"$trial:echo\",\"argument\":\"one\"}" "" "{\"function\":\"$trial:hello\",\"argument\":[\"two\"]}"
    ids=$(goctl submit --bulk "$temporary/jobs")
    same "numbers" "$(wc -l <<<"$ids")" 2
    expect 0 "one" goctl wait "$(head -1 <<<"$ids")"
    expect 0 "Hello, two!" goctl wait "$(tail -1 <<<"$ids")"
}

test_wait_prints_each_result_and_the_first_bad_status() {
    lines '{"argument":"a"}' "{\"function\":\"$trial:fail\",\"retries\":1}" '{"argument":"c"}'
    expect 9 $'a\nc' goctl submit --wait --bulk "$temporary/jobs" "$trial:echo"
}

test_arguments_of_a_list_stand_between_zero_bytes() {
    lines '{"argument":["b","c"]}'
    expect 0 $'b\x01c' eval "goctl submit --wait --bulk $temporary/jobs $trial:echo | tr '\0' '\1'"
}

test_json_prints_one_object_a_line() {
    lines '{"argument":"a"}' '{"argument":"b"}'
    goctl submit --json --bulk - "$trial:echo" <"$temporary/jobs" | grep -cE '^\{"job":[0-9]+\}$' | grep -qx 2 ||
        failed "no numbers in JSON"
    goctl submit --json --wait --bulk "$temporary/jobs" "$trial:echo" | grep -q '"result":"b"' || failed "no results"
}

test_a_line_has_the_options_of_submit_and_the_rest_is_the_command_lines() {
    local ids
    lines '{"in":"1h","priority":3}' '{"retry":["1s","2s"],"any":false,"priority":"4"}'
    ids=$(goctl submit --bulk "$temporary/jobs" "$trial:echo" --in 2h)
    goctl job "$(head -1 <<<"$ids")" --json | grep -q '"state":"scheduled"' || failed "not due in an hour"
    goctl job "$(tail -1 <<<"$ids")" --json | grep -q '"attempts_max":3' || failed "other attempts"
    same "state" "$(state_of "$(tail -1 <<<"$ids")")" scheduled
    goctl cancel $ids
}

test_a_line_that_is_wrong_names_itself() {
    lines '{"argument":"a"}' '{"argument":'
    none 2 "line 2 of $temporary/jobs; correct it" "$temporary/jobs" "$trial:echo"
    none 2 '"{"argument":" is no JSON object' "$temporary/jobs" "$trial:echo"
    lines '[1]'
    none 2 '"[1]" is no JSON object' "$temporary/jobs" "$trial:echo"
    lines '{"prioritty":3}'
    none 2 'a job has no field "prioritty"' "$temporary/jobs" "$trial:echo"
    lines '{"wait":true}'
    none 2 'a job has no field "wait"' "$temporary/jobs" "$trial:echo"
    lines '{"priority":99}'
    none 2 '--priority 99 is not 0 to 9' "$temporary/jobs" "$trial:echo"
    lines '{"in":"soon"}'
    none 2 '--in: "soon" is not a duration' "$temporary/jobs" "$trial:echo"
    lines '{"in":{}}'
    none 2 'the field "in" is not a text' "$temporary/jobs" "$trial:echo"
    lines '{"any":1}'
    none 2 'the field "any" is not true or false' "$temporary/jobs" "$trial:echo"
    lines '{"argument":1}'
    none 2 'the field "argument" is not a text' "$temporary/jobs" "$trial:echo"
    lines '{"function":"echo"}'
    none 2 '"echo" is not PLUGIN.so:FUNCTION' "$temporary/jobs" "$trial:echo"
    lines '{}'
    none 2 'the field "function" is not there' "$temporary/jobs"
    none 2 "cannot_be_there: No such file" "$temporary/cannot_be_there"
    none 2 "has the arguments of jobs in its lines" "$temporary/jobs" "$trial:echo" more
}

test_a_job_that_the_daemon_refuses_is_told_by_its_line() {
    lines '{"argument":"a"}' '' '{"queue":"nowhere"}'
    none 5 "line 3 of" "$temporary/jobs" "$trial:echo"
    none 5 "no queue nowhere" "$temporary/jobs" "$trial:echo"
    lines '{}' '{"function":"'"$trial"':nothing"}'
    none 5 "line 2 of" "$temporary/jobs" "$trial:echo"
    lines '{"once-key":"k"}' '{"once-key":"k"}'
    none 1 "job 1 of the same bulk has this key" "$temporary/jobs" "$trial:echo"
}

test_then_runs_when_all_are_done() {
    local ids
    lines '{"argument":"a"}' '{"argument":"b"}' '{"argument":"c"}'
    ids=$(goctl submit --bulk "$temporary/jobs" "$trial:echo" --then "$trial:counts")
    same "numbers" "$(wc -l <<<"$ids")" 4
    expect 0 "3 of 3" goctl wait "$(tail -1 <<<"$ids")"
    lines '{}' "{\"function\":\"$trial:fail\",\"retries\":1}"
    ids=$(goctl submit --bulk "$temporary/jobs" "$trial:echo" --then "$trial:counts" --any)
    expect 0 "1 of 2" goctl wait "$(tail -1 <<<"$ids")"
    ids=$(goctl submit --bulk "$temporary/jobs" "$trial:echo" --then "$trial:counts")
    expect 6 "" goctl wait "$(tail -1 <<<"$ids")"
    refuse 2 "--then needs --bulk" goctl submit "$trial:echo" --then "$trial:counts"
}

test_then_outlives_kill_9() {
    local ids
    node_of_its_own
    lines '{"in":"1h"}' '{}' '{"in":"1h"}'
    ids=$(goctl submit --bulk "$temporary/jobs" "$trial:echo" --then "$trial:counts" --any)
    goctl wait "$(sed -n 2p <<<"$ids")"
    node_stop KILL
    node_start
    goctl job "$(tail -1 <<<"$ids")" | grep -q "it waits for the end of 2 of 3 jobs" || failed "$(goctl job "$(tail -1 <<<"$ids")")"
    goctl cancel "$(sed -n 1p <<<"$ids")" "$(sed -n 3p <<<"$ids")"
    expect 0 "1 of 3" goctl wait "$(tail -1 <<<"$ids")"
}

test_nothing_is_enough() {
    lines ''
    expect 0 "" goctl submit --bulk "$temporary/jobs" "$trial:echo"
}

test_a_bulk_outlives_kill_9() {
    local ids
    node_of_its_own
    yes '{"in":"1h"}' | head -1000 >"$temporary/jobs"
    ids=$(goctl submit --bulk "$temporary/jobs" "$trial:echo")
    node_stop KILL
    node_start
    same "jobs" "$(goctl jobs --json | grep -c '"state":"scheduled"')" 1000
}

# The daemon dies while one bulk follows the other: of each there is all or nothing, and of those that were told, all.
test_kill_9_in_the_middle_of_bulks_leaves_all_or_none() {
    local told=$temporary/told there before writer
    node_of_its_own
    yes '{"in":"1h"}' | head -250 >"$temporary/jobs"
    : >"$told"
    for _ in 1 2 3 4; do
        before=$(wc -l <"$told")
        while goctl submit --bulk "$temporary/jobs" "$trial:echo" >>"$told" 2>/dev/null; do :; done &
        writer=$!
        until [ "$(wc -l <"$told")" -ge $((before + 500)) ]; do :; done
        node_stop KILL
        wait "$writer"
        node_start
        there=$(jobs_there)
        same "jobs of a part of a bulk" $((there % 250)) 0
        [ "$there" -ge "$(wc -l <"$told")" ] || failed "$there jobs are left of $(wc -l <"$told") that were told"
    done
}

node_start
run_tests
