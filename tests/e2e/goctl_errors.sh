#!/usr/bin/env bash
# Bad input: every refusal has its exit status, names what was wrong, and loses nothing.
. "$(dirname "$0")/lib.sh"

test_no_command_and_unknown_command_are_usage() {
    expect 2 "" goctl
    refuse 2 "goctl help" goctl receive
    refuse 2 "--nonsense" goctl recv --nonsense c
    refuse 2 "usage: goctl recv NAME" goctl recv
}

test_an_absent_daemon_is_status_7_and_says_where_it_looked() {
    refuse 7 "$temporary/nowhere" goctl ping --endpoint "ipc://$temporary/nowhere"
    refuse 7 "goroutined" goctl ping --endpoint "ipc://$temporary/nowhere"
    GOROUTINED_ENDPOINT=ipc://$temporary/elsewhere refuse 7 "$temporary/elsewhere" goctl ping
    refuse 2 "nonsense" goctl ping --endpoint nonsense
}

# standstill PID stops a process, and waits until none of its threads runs any more.
standstill() {
    kill -STOP "$1"
    while grep -L '^State:.T' /proc/"$1"/task/*/status | grep -q .; do
        kill -0 "$1" || failed "$1 is gone"
    done
}

# It takes as long as goctl waits for a daemon by default: that is the time in which others must not have given up.
test_only_the_first_answer_of_a_daemon_has_a_bound_which_can_be_said() {
    local receiver sender patient
    node_of_its_own
    trap 'kill -CONT "$daemon"; node_stop' EXIT
    unset GOROUTINED_CONNECT_TIMEOUT
    goctl make waited
    goctl make lines --cap 1
    mkfifo "$node/lines"
    goctl recv waited >"$node/received" &
    receiver=$!
    goctl send lines --lines <"$node/lines" &
    sender=$!
    exec 8>"$node/lines"
    until_number waited receivers 1
    until_number lines handles 1
    standstill "$daemon"
    goctl ping --connect-timeout 1h >"$node/pong" &
    patient=$!
    echo asked while it was stopped >&8
    refuse 7 "--connect-timeout" goctl ping --timeout 1h
    refuse 7 "--connect-timeout" goctl ping --connect-timeout 1ms
    GOROUTINED_CONNECT_TIMEOUT=1ms refuse 7 "it does not answer" goctl ping
    kill -CONT "$daemon"
    exec 8>&-
    each_ended 0 "$patient" "$sender"
    expect 0 "asked while it was stopped" goctl recv lines
    goctl send waited value
    ended "$receiver" 0
    same "received" "$(cat "$node/received")" value
}

test_a_bound_for_the_first_answer_that_is_no_time_is_usage() {
    refuse 2 "--connect-timeout" goctl ping --connect-timeout soon
    GOROUTINED_CONNECT_TIMEOUT=soon refuse 2 "GOROUTINED_CONNECT_TIMEOUT" goctl ping
    GOROUTINED_CONNECT_TIMEOUT='' expect 0 "" goctl ls none. --json
}

test_the_endpoint_option_wins_over_the_environment() {
    GOROUTINED_ENDPOINT=ipc://$temporary/elsewhere expect 0 "" goctl ls none. --json --endpoint "ipc://$temporary/socket"
}

test_a_missing_channel_is_status_5_in_every_command() {
    refuse 5 "nonsuch" goctl send nonsuch 1
    refuse 5 "nonsuch" goctl recv nonsuch
    refuse 5 "nonsuch" goctl range nonsuch
    refuse 5 "nonsuch" goctl close nonsuch
    refuse 5 "nonsuch" goctl info nonsuch
    refuse 5 "nonsuch" goctl rm nonsuch
    refuse 5 "nonsuch" goctl select --recv nonsuch
    refuse 5 "goctl make" goctl recv nonsuch
}

test_a_name_with_a_forbidden_byte_is_refused() {
    local name
    for name in 'a b' 'a;b' $'a\nb' 'ä' 'a*' 'a\b' ''; do
        refuse 2 "name" goctl make "$name"
    done
    refuse 2 "name" goctl recv 'a b'
    expect 0 "" goctl make 'A-z0.9_:/'
}

test_a_name_of_255_bytes_is_taken_and_one_more_refused() {
    local name
    name=$(printf 'n%.0s' $(seq 255))
    expect 0 "" goctl make "$name"
    refuse 1 "name" goctl make "${name}n"
    expect 0 "" goctl rm "$name"
}

test_a_value_over_the_channels_limit_is_refused_and_the_rest_kept() {
    goctl make limit --cap 4 --value-max 4K
    head -c 4096 /dev/zero | goctl send --raw limit
    head -c 4097 /dev/zero >"$temporary/large"
    refuse 1 "--value-max" eval "goctl send --raw limit <$temporary/large"
    same "length" "$(number_of limit length)" 1
    goctl make usual --cap 1
    head -c $((1 << 20)) /dev/zero | goctl send --raw usual
    head -c $(((1 << 20) + 1)) /dev/zero >"$temporary/large"
    refuse 1 "usual" eval "goctl send --raw usual <$temporary/large"
}

test_an_element_size_is_kept() {
    goctl make element --cap 4 --element 4
    expect 0 "" goctl send element four
    refuse 2 "--element" goctl send element three
    expect 0 four goctl recv element
}

test_a_send_that_fails_says_how_many_were_sent() {
    goctl make part --cap 2
    refuse 8 "after 2 values" goctl send --try part 1 2 3
    expect 0 $'1\n2' goctl recv part -n 2
}

test_capacity_over_the_limit_is_refused() {
    refuse 1 "large" goctl make large --cap 1048577
    refuse 5 "large" goctl info large
    expect 0 "" goctl make large --cap 1048576
}

test_operands_of_pool_that_are_too_few_or_too_many_are_usage() {
    refuse 2 "usage: goctl pool rm NAME" goctl pool rm one two
    refuse 2 "usage: goctl pool set NAME SETTING" goctl pool set one
    refuse 2 "usage: goctl pool scale NAME HOSTS" goctl pool scale one
    refuse 2 "usage: goctl pool info NAME" goctl pool info ""
    GOROUTINED_ENDPOINT=ipc:///nowhere refuse 2 'there is no "bogus"' goctl pool bogus
}

test_opposite_policies_are_usage() {
    refuse 2 "exclude each other" goctl make both --drop-oldest --drop-newest
}

test_a_daemon_that_goes_away_ends_a_wait_with_status_7() {
    local receiver
    node_of_its_own
    goctl make orphan
    goctl recv orphan 2>"$temporary/orphan" &
    receiver=$!
    until_number orphan receivers 1
    kill -TERM "$daemon"
    ended $receiver 7
    grep -q "orphan" "$temporary/orphan" || failed "$(cat "$temporary/orphan")"
}

node_start
run_tests
