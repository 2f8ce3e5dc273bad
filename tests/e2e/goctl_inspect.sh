#!/usr/bin/env bash
# The commands that show who waits for what, with the real daemon and processes of their own.
. "$(dirname "$0")/lib.sh"

test_IP9_dump_shows_who_waits_for_what() {
    local receiver line
    goctl make seen.x
    expect 0 "SESSION      PID   UID PROGRAM            AGE   LEFT WAITS FOR       OBJECT" goctl dump --object seen.x
    "$GOCTL" recv seen.x --timeout 1h >"$temporary/seen" &
    receiver=$!
    until_number seen.x receivers 1
    line=$(goctl dump --object seen.x --json)
    grep -q '"pid":'"$receiver"',' <<<"$line" || failed "$line"
    grep -q '"program":"goctl","verb":"recv","reason":"channel receive","kind":"channel","object":"seen.x"' <<<"$line" ||
        failed "$line"
    grep -qE '"left_ns":[0-9]+' <<<"$line" || failed "$line"
    goctl dump --object seen.x | tail -1 | grep -qE "^ +[0-9]+ +$receiver +$UID goctl .* channel receive channel seen.x$" ||
        failed "$(goctl dump --object seen.x)"
    same "another session" "$(goctl dump --session 999999 --json)" ""
    same "a longer wait" "$(goctl dump --object seen.x --age 1h --json)" ""
    goctl send seen.x v
    ended "$receiver" 0
    same "afterwards" "$(goctl dump --object seen.x --json)" ""
}

test_IP9_dump_shows_all_cases_of_a_select() {
    local selecting
    goctl make sel.a
    goctl make sel.b --cap 1
    goctl send sel.b full
    "$GOCTL" select --recv sel.a --send sel.b=v >"$temporary/select" &
    selecting=$!
    until_number sel.a receivers 1
    goctl dump --object sel.b --json | grep -q '"object":"recv sel.a, send sel.b".*"cases":2' ||
        failed "$(goctl dump --object sel.b --json)"
    goctl recv sel.b >"$temporary/drained"
    ended "$selecting" 0
}

test_Z5_reports_keep_proven_and_suspected_apart() {
    local receiver
    goctl make sus.x
    "$GOCTL" recv sus.x >"$temporary/suspect" &
    receiver=$!
    until_number sus.x receivers 1
    until goctl deadlocks --age 1ns --json | grep '"object":"sus.x"' | grep -q '"report":"suspected"'; do
        kill -0 "$receiver" || failed "the receiver is gone"
    done
    goctl deadlocks --age 1h | grep -q sus.x && failed "$(goctl deadlocks --age 1h)"
    goctl leaks --age 1ns --json | grep '"object":"sus.x"' | grep -q '"report":"suspected"' || failed "$(goctl leaks)"
    goctl send sus.x v
    ended "$receiver" 0
}

test_Z4_leaks_tell_of_channels_that_nobody_has_open() {
    goctl make left.a --cap 1
    goctl send left.a v
    goctl leaks --json | grep -qxF '{"kind":"channel","object":"left.a","uid":'"$UID"',"report":"unused"}' ||
        failed "$(goctl leaks --json)"
    goctl leaks | grep -qx 'left.a: keeps values, and nobody has it open' || failed "$(goctl leaks)"
    goctl rm left.a
    goctl leaks | grep -q left.a && failed "$(goctl leaks)"
    return 0
}

test_IP9_goroutines_of_hosts_are_told_with_their_stacks() {
    local job text
    goctl make told.x
    job=$(goctl submit "$PLUGINS/trial.so:receive" told.x)
    until_number told.x receivers 1
    text=$(goctl dump --goroutines)
    grep -qE "^host [0-9]+, pid [0-9]+, $PLUGINS/trial.so$" <<<"$text" || failed "$text"
    grep -q "goroutined" <<<"$text" || failed "the goroutine that waits for the daemon is missing: $text"
    goctl dump -g --json | grep -q '"goroutines":"' || failed "$(goctl dump -g --json)"
    goctl dump --object told.x --json | grep -qE '"run":[0-9]+' || failed "$(goctl dump --object told.x --json)"
    goctl send told.x v
    goctl wait "$job" >"$temporary/told"
}

node_start
run_tests
