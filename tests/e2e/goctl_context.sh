#!/usr/bin/env bash
# Contexts from the shell, with the real daemon: what waits in other processes ends with them.
. "$(dirname "$0")/lib.sh"

# until_children NAME NUMBER waits until the context has so many directly below it.
until_children() {
    until goctl ctx info "$1" --json | grep -q "\"children\":$2\b"; do
        kill -0 "$daemon" || failed "the daemon is gone"
    done
}

test_new_info_ls_drop() {
    expect 0 "" goctl ctx new life.b --timeout 1h
    expect 0 "" goctl ctx new life.a
    goctl ctx ls life. | sed 1d | awk '{ print $1, $NF }' | xargs | grep -qx 'open life.a open life.b' ||
        failed "$(goctl ctx ls life.)"
    same "limit" "$(goctl ctx ls life. --limit 1 --json | wc -l)" 1
    goctl ctx info life.b | grep -qE '^left +(59m|60m|1h|3599s|3600s)' || failed "$(goctl ctx info life.b)"
    refuse 1 "goctl ctx drop" goctl ctx new life.a
    expect 0 "" goctl ctx drop life.a
    expect 0 "" goctl ctx drop life.b
    refuse 5 "goctl ctx new" goctl ctx info life.a
}

test_E2_the_context_of_an_error_group() {
    expect 0 "" goctl ctx new crew --group crew
    refuse 1 "has a context already" goctl ctx new crew.other --group crew
    expect 0 "" goctl ctx drop crew
    expect 0 "" goctl ctx new crew.other --group crew
    expect 0 "" goctl ctx drop crew.other
}

test_G60_a_cancel_ends_commands_that_wait_in_other_processes() {
    local receiver sender
    goctl make G60 --cap 0
    goctl make G60.full --cap 0
    goctl ctx new G60
    goctl recv G60 --ctx G60 2>"$temporary/receiver" & receiver=$!
    goctl send G60.full v --ctx G60 2>"$temporary/sender" & sender=$!
    until_number G60 receivers 1
    until_number G60.full senders 1
    expect 0 "" goctl ctx cancel G60 "rolled back"
    ended "$receiver" 6
    ended "$sender" 6
    grep -q "rolled back" "$temporary/receiver" || failed "$(cat "$temporary/receiver")"
    expect 0 "" goctl ctx cancel G60 "once more"
    expect 6 "cancelled rolled back" goctl ctx wait G60
    refuse 6 "rolled back" goctl recv G60 --ctx G60
    same "receivers" "$(number_of G60 receivers)" 0
}

test_G61_a_deadline_is_told_from_a_cancel() {
    goctl make G61 --cap 0
    goctl ctx new G61 --timeout 50ms
    refuse 3 "deadline exceeded" goctl recv G61 --ctx G61
    expect 3 "timeout context deadline exceeded" goctl ctx wait G61
    goctl ctx wait G61 --json | grep -q '"state":"timeout"' || failed "$(goctl ctx wait G61 --json)"
}

test_G63_values_are_those_of_the_nearest_context() {
    goctl ctx new G63 --value user_id=12345 --value request=a=b
    goctl ctx new G63.below --parent G63 --value user_id=2
    expect 0 12345 goctl ctx value G63 user_id
    expect 0 2 goctl ctx value G63.below user_id
    expect 0 a=b goctl ctx value G63.below request
    refuse 5 "session" goctl ctx value G63.below session
    expect 0 '{"context":"G63.below","key":"user_id","value":"2"}' goctl ctx value G63.below user_id --json
}

test_G64_a_child_ends_alone_and_with_its_parent() {
    goctl ctx new G64
    goctl ctx new G64.child --parent G64
    goctl ctx new G64.other --parent G64
    goctl ctx cancel G64.child
    expect 6 "cancelled context canceled" goctl ctx wait G64.child
    goctl ctx info G64 | grep -qx 'state     open' || failed "$(goctl ctx info G64)"
    goctl ctx cancel G64 "all of it"
    expect 6 "cancelled all of it" goctl ctx wait G64.other
}

test_an_interrupted_command_leaves_the_context_to_the_others() {
    local receiver
    goctl make patient --cap 1
    goctl ctx new patient
    "$GOCTL" recv patient --ctx patient & receiver=$!
    until_number patient receivers 1
    kill -TERM "$receiver"
    ended "$receiver" 143
    until_children patient 0
    goctl ctx info patient | grep -qx 'state     open' || failed "$(goctl ctx info patient)"
    goctl send patient v --ctx patient
    expect 0 v goctl recv patient --ctx patient
}

test_usage_and_what_is_not_there() {
    refuse 2 "which?" goctl ctx cancel
    refuse 2 "there is no" goctl ctx bury name
    refuse 5 "context nowhere" goctl recv any --ctx nowhere
    goctl ctx new slow
    refuse 3 "ctx wait" goctl ctx wait slow --timeout 10ms
}

node_start
run_tests
