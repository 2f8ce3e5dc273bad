#!/usr/bin/env bash
# Schedules through goctl, with a daemon whose clock the test moves: runs, policies, restarts, errors.
. "$(dirname "$0")/lib.sh"
trial=$PLUGINS/trial.so

# row NAME MEMBER prints one member of a schedule.
row() { goctl cron ls "$1" --json | sed -n "s/.*\"$2\": *\"\{0,1\}\([^\",}]*\).*/\1/p"; }

# until_runs NAME NUMBER waits until so many jobs were submitted.
until_runs() {
    until [ "$(row "$1" runs)" = "$2" ]; do
        kill -0 "$daemon" || failed "the daemon is gone"
    done
}

test_a_schedule_submits_its_job_at_each_moment() {
    local job
    expect 0 "" goctl cron set beat '@every 1h' --zone Europe/Berlin "$trial:echo" "tick tock"
    same runs "$(row beat runs)" 0
    goctl advance 1h
    until_runs beat 1
    job=$(row beat last_job)
    expect 0 "tick tock" goctl wait "$job"
    goctl advance 1h
    until_runs beat 2
    expect 0 "" goctl cron rm beat
    refuse 5 "no schedule beat" goctl cron rm beat
    expect 0 "tick tock" goctl wait "$job"
}

test_jobs_have_the_times_of_their_schedule() {
    local job
    goctl cron set late '@every 1h' --in 10m --jitter 20 --retry 1s,2s "$trial:echo"
    goctl advance 1h
    until_runs late 1
    job=$(row late last_job)
    same state "$(state_of "$job")" scheduled
    goctl advance 10m # perhaps into the next hour, and the next job
    until_state "$job" done
    goctl cron rm late
    refuse 2 "--jitter 0 to 100" goctl cron set bad '@daily' --jitter 101 "$trial:echo"
    refuse 2 '--retry "1x" is not' goctl cron set bad '@daily' --retry 1x "$trial:echo"
}

test_one_that_is_held_waits() {
    goctl cron set held '@every 1h' "$trial:echo"
    expect 0 "" goctl cron pause held
    same state "$(row held state)" paused
    goctl advance 3h
    goctl cron resume held
    same runs "$(row held runs)" 0
    goctl advance 1h
    until_runs held 1
    goctl cron rm held
}

test_a_restart_keeps_schedules_and_makes_up_by_policy() {
    node_of_its_own --test-clock
    goctl cron set kept '0 7 * * mon-fri' --zone America/New_York --missed all --overlap skip --queue default "$trial:echo" x
    goctl cron set held '@daily' --paused "$trial:echo"
    node_stop KILL
    node_start --test-clock
    same spec "$(row kept spec)" '0 7 * * mon-fri'
    same zone "$(row kept zone)" America/New_York
    same missed "$(row kept missed)" all
    same overlap "$(row kept overlap)" skip
    same state "$(row held state)" paused
    goctl advance 96h
    until_runs kept 1
    same skipped "$(row kept skipped)" 0
}

# Whatever dies when: three schedules that are due once, an hour from now, and a daemon that is killed as they are. Where it
# comes to is the same as if nothing had happened: the moment is an hour old when somebody looks at it each time.
# The clock goes back when a daemon starts, by less than the three hours after which schedules go on from there.
with_three() { "$@" --test-clock --limit retained_s=100000000; }
fire() { goctl advance "$((moment - begun + 3600))s" >/dev/null 2>&1; }

set_three() {
    local spec policy
    begun=$(date +%s)
    with_three node_of_its_own
    spec=$(date -u -d '+1 hour' '+%-M %-H %-d %-m *')
    for policy in one all skip; do
        goctl cron set "$policy" "$spec" --missed "$policy" "$trial:echo" "$policy"
    done
    moment=$(($(row one next_us) / 1000000))
    node_stop
}

each_once() {
    local policy
    begun=$(date +%s)
    with_three node_start
    fire || failed "the clock stands still"
    for policy in one all; do
        until_runs "$policy" 1
        same "skipped by $policy" "$(row "$policy" skipped)" 0
        same "moment of $policy" "$(row "$policy" last_us)" "${moment}000000"
        until_state "$(row "$policy" last_job)" done
    done
    same runs "$(row skip runs)" 0
    same skipped "$(row skip skipped)" 1
    same jobs "$(goctl jobs --json | wc -l)" 2
}

test_a_daemon_that_dies_in_a_moment_loses_none_and_repeats_none() {
    local fault
    for fault in store-before-commit=1 store-after-commit=1 store-record=2 store-before-commit=2 store-after-commit=2; do
        set_three
        GOROUTINED_FAULTS=$fault:kill with_three node_start
        fire
        wait "$daemon"
        each_once
        node_stop KILL
        each_once # and once more: what is done is done
        node_stop
    done
}

test_a_daemon_that_is_killed_in_a_moment_loses_none_and_repeats_none() {
    local turn asker
    for turn in 1 2 3; do
        set_three
        with_three node_start
        fire &
        asker=$!
        [ $turn = 1 ] || wait $asker
        [ $turn = 2 ] || until_runs one 1
        node_stop KILL
        kill $asker 2>/dev/null # it asks nobody else
        wait $asker
        each_once
        node_stop
    done
}

test_a_zone_that_is_gone_is_told() {
    node_of_its_own --test-clock
    goctl cron set far '@daily' --zone Europe/Berlin "$trial:echo"
    node_stop
    TZDIR=$temporary/empty node_start --test-clock
    same state "$(row far state)" broken
    goctl cron ls | grep -qF "no such zone" || failed "$(goctl cron ls)"
    node_stop
    node_start --test-clock
    same state "$(row far state)" set
}

test_what_is_wrong_is_said() {
    refuse 2 "character 1: minute '61'" goctl cron set bad '61 * * * *' "$trial:echo"
    refuse 5 "no such zone" goctl cron set bad '@daily' --zone Moon/Base "$trial:echo"
    refuse 5 "has no function none" goctl cron set bad '@daily' "$trial:none"
    refuse 2 "--missed is skip, one or all" goctl cron set bad '@daily' --missed some "$trial:echo"
    refuse 2 "--overlap is allow or skip" goctl cron set bad '@daily' --overlap some "$trial:echo"
    refuse 2 "set needs NAME" goctl cron set bad '@daily'
    refuse 2 "PLUGIN.so:FUNCTION" goctl cron set bad '@daily' nothing
    refuse 2 "which?" goctl cron rm
    refuse 2 "ls takes one PREFIX" goctl cron ls a b
    refuse 2 "next needs one 'SPEC'" goctl cron next '@daily' more
    refuse 2 "it is set, ls" goctl cron sett
    expect 0 "" goctl cron ls --json
}

test_next_needs_no_daemon() {
    local lines
    lines=$(GOROUTINED_ENDPOINT=ipc:///nowhere goctl cron next '30 2 * * *' --zone Europe/Berlin -n 3)
    same lines "$(wc -l <<<"$lines")" 3
    grep -qE '^[A-Z][a-z]{2} [0-9-]{10} 0[23]:[03]0:00 \+0[12]:00  [0-9-]{10}T0[01]:[03]0:00Z$' <<<"$lines" || failed "$lines"
    refuse 2 "character 5: day of the month '32'" goctl cron next '0 0 32 * *'
    refuse 5 "zone Moon/Base" goctl cron next @daily --zone Moon/Base
    goctl cron next '@every 90s' -n 1 --json | grep -qE '^\{"due_us": ?[0-9]+, ?"offset_s": ?0\}$' || failed "no JSON"
}

node_start --test-clock
run_tests
