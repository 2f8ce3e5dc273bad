#!/usr/bin/env bash
# Queues whose states are a topic, with the real daemon: what goctl sub prints of the life of jobs (IP18).
. "$(dirname "$0")/lib.sh"
trial=$PLUGINS/trial.so

# watching PATTERN ARGUMENT... starts a subscriber to states, whose output is in $temporary/states.
watching() {
    "$GOCTL" sub "$@" >"$temporary/states" 2>"$temporary/errors" &
    subscriber=$!
    until_subscribed "$1" 1
}

# told WORDS closes the pattern and compares what was printed.
told() {
    expect 0 "" goctl topic close "$1"
    ended "$subscriber" 0
    same "told" "$(cat "$temporary/states")" "$2"
}

test_IP18_a_queue_tells_the_life_of_its_jobs() {
    local id
    expect 0 "" goctl queue set default states=jobs.mail
    same "the setting" "$(goctl queue info default --json | jq -r '.settings.states | "\(.value) \(.origin)"')" "jobs.mail set"
    watching 'jobs.mail.*'
    id=$(goctl submit "$trial:hello")
    goctl wait "$id" >/dev/null
    told 'jobs.mail.*' "jobs.mail.ready $id"$'\n'"jobs.mail.running $id"$'\n'"jobs.mail.done $id"
}

test_IP18_what_failed_is_picked_out_of_all_queues() {
    local failed cancelled
    expect 0 "" goctl queue set default states=jobs.mail
    watching 'jobs.*.dead' 'jobs.*.cancelled' --format '%h{queue} %h{state} %h{failures} %h{cause} %h{error} %p' -n 2
    until_subscribed 'jobs.*.cancelled' 1
    failed=$(goctl submit "$trial:fail" --retries 2 --backoff 1ms)
    goctl wait "$failed" >/dev/null
    cancelled=$(goctl submit "$trial:hello" --in 1h)
    expect 0 "" goctl cancel "$cancelled"
    ended "$subscriber" 0
    same "picked" "$(sed "s/ cancelled by.*//" "$temporary/states")" \
        "default dead 2 error -5 $failed the disk of trial"$'\n'"default cancelled 0 canceled -125 $cancelled"
}

test_IP18_kept_states_can_be_read_after_a_restart() {
    local id
    node_of_its_own --queue mail.states=jobs.mail
    expect 0 "" goctl topic set 'jobs.>' durable=yes
    id=$(goctl submit "$trial:hello" --queue mail)
    goctl wait "$id" >/dev/null
    node_stop KILL
    node_start --queue mail.states=jobs.mail
    same "read again" "$(goctl sub 'jobs.mail.>' --from start -n 3 --format '%h{job} %h{state}')" \
        "$id ready"$'\n'"$id running"$'\n'"$id done"
    node_stop
    expect 0 "$node/state: 0 faults" "$GOROUTINED" --fsck "$node/state"
}

test_IP18_a_setting_that_is_no_topic_is_refused() {
    refuse 2 "'states=a..b' is not none, or a topic of at most 240 bytes" goctl queue set default states=a..b
    expect 0 "" goctl queue set default states=none
}

node_start
run_tests
