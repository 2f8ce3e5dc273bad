#!/usr/bin/env bash
# Every command about channels, with the real daemon: output, JSON, exit status. A test that covers a row of
# tests/guide/ROWS.md in form C names it.
. "$(dirname "$0")/lib.sh"

test_ping_tells_the_endpoint() {
    goctl ping | grep -q "^$GOROUTINED_ENDPOINT answered in [0-9.]*[mun]*s$" || failed "$(goctl ping)"
    goctl ping --json -n 2 | grep -c '"round_trip_ns":[0-9]' | grep -qx 2
}

test_stats_are_names_and_numbers() {
    goctl stats | grep -qE '^[a-z_.]+ +[0-9]+$' || failed "$(goctl stats)"
    goctl stats --json | grep -qE '^\{"[a-z_.]+":[0-9]+' || failed "$(goctl stats --json)"
}

test_stats_tell_what_the_daemon_takes_of_the_machine() {
    local name
    for name in memory.resident store.file; do
        [ "$(goctl stats "$name" | awk '{ print $2 }')" -ge 4096 ] || failed "$(goctl stats "$name")"
    done
    goctl stats store.log | grep -qE '^store.log +[0-9]+$' || failed "$(goctl stats store.log)"
}

test_make_ls_info_rm() {
    expect 0 "" goctl make life.b --cap 16
    expect 0 '{"channel":"life.a","made":true}' goctl make life.a --json
    expect 0 $' LENGTH CAPACITY SENDERS RECEIVERS STATE  KEPT   NAME\n      0        0       0         0 open   memory life.a\n      0       16       0         0 open   memory life.b' goctl ls life.
    same "names" "$(goctl ls life. --json | sed 's/.*"name":"\([^"]*\)".*/\1/' | xargs)" "life.a life.b"
    same "limit" "$(goctl ls life. --limit 1 --json | wc -l)" 1
    same "capacity" "$(number_of life.b capacity)" 16
    goctl info life.b | grep -qx 'capacity   16' || failed "$(goctl info life.b)"
    expect 0 "" goctl rm life.a life.b
    refuse 5 "life.a" goctl info life.a
}

test_make_twice_needs_if_missing() {
    expect 0 "" goctl make twice --cap 2
    refuse 1 "--if-missing" goctl make twice --cap 2
    expect 0 "" goctl make twice --cap 2 --if-missing
    refuse 1 "twice" goctl make twice --cap 3 --if-missing
}

# G24
test_B2_values_leave_in_order_of_arrival() {
    goctl make order --cap 3
    expect 0 "" goctl send order 1 2 3
    same "length" "$(number_of order length)" 3
    refuse 8 "order" goctl send --try order 4
    expect 0 $'1\n2\n3' goctl recv order -n 3
}

test_send_from_standard_input() {
    goctl make input --cap 8
    echo hello | goctl send input -
    printf 'one\n\nthree' | goctl send --lines input
    expect 0 $'hello\none\n\nthree' goctl recv input -n 4
    printf 'a\nb\n' | goctl send --raw input
    expect 0 $'a\nb\n' goctl recv input
    expect 0 '{"channel":"input","sent":2}' goctl send input x y --json
}

test_values_are_bytes() {
    goctl make bytes --cap 4
    printf 'a\0b\377\n' >"$temporary/bytes"
    goctl send --raw bytes <"$temporary/bytes"
    goctl recv --raw bytes | cmp - "$temporary/bytes" || failed "other bytes came back"
    goctl send --raw bytes <"$temporary/bytes"
    expect 0 '{"channel":"bytes","value_base64":"YQBi/wo="}' goctl recv bytes --json
    goctl send bytes "" 'say "ü"'
    expect 0 $'{"channel":"bytes","value":""}\n{"channel":"bytes","value":"say \\"ü\\""}' goctl recv bytes -n 2 --json
}

# G20
test_U1_a_send_waits_for_its_receiver() {
    local sender
    goctl make meet
    goctl send meet 42 &
    sender=$!
    until_number meet senders 1
    same "length with a parked sender" "$(number_of meet length)" 0
    expect 0 42 goctl recv meet
    ended $sender 0
}

# G36
test_U7_try_forms_see_parked_partners() {
    local other
    goctl make try
    refuse 8 "try" goctl recv --try try
    refuse 8 "try" goctl send --try try 1
    goctl recv try >"$temporary/try" &
    other=$!
    until_number try receivers 1
    expect 0 "" goctl send --try try 1
    ended $other 0
    same "received" "$(cat "$temporary/try")" 1
    goctl send try 2 &
    other=$!
    until_number try senders 1
    expect 0 2 goctl recv --try try
    ended $other 0
}

# G35
test_a_timeout_is_status_3_without_output() {
    goctl make slow
    refuse 3 "deadline" goctl recv slow --timeout 20ms
    refuse 3 "deadline" goctl send slow 1 --timeout 20ms
    refuse 3 "deadline" goctl recv slow --follow --timeout 20ms
    expect 0 "" goctl close slow
}

# G28
test_R1_range_ends_when_closed_and_drained() {
    goctl make range --cap 3
    goctl send range 10 20 30
    goctl close range
    expect 0 $'10\n20\n30' goctl range range
    expect 0 "" goctl range range
    goctl make range.json --cap 2
    goctl send range.json a b
    goctl close range.json
    expect 0 $'{"channel":"range.json","value":"a"}\n{"channel":"range.json","value":"b"}' goctl range range.json --json
    expect 0 '{"channel":"range.json","removed":true}' goctl rm range.json --json
}

# G29
test_C1_recv_tells_closed_by_status_4() {
    goctl make closed --cap 3
    goctl send closed 1 2
    expect 0 '{"channel":"closed","closed":true}' goctl close closed --json
    expect 4 $'1\n2' goctl recv closed --follow
    refuse 4 "closed and drained" goctl recv closed
    refuse 4 "closed and drained" goctl recv --try closed
}

# G30
test_C3_C5_send_and_close_on_closed_are_status_4() {
    goctl make shut --cap 3
    goctl close shut
    refuse 4 "send on shut" goctl send shut 1
    refuse 4 "close shut" goctl close shut
    expect 4 "" goctl recv shut
}

# G19
test_C2_close_wakes_every_receiver() {
    local receivers=() receiver
    goctl make stop
    for _ in 1 2 3; do
        goctl recv stop 2>/dev/null &
        receivers+=($!)
    done
    until_number stop receivers 3
    goctl close stop
    for receiver in "${receivers[@]}"; do ended "$receiver" 4; done
}

test_C4_close_wakes_a_parked_sender_with_status_4() {
    local sender
    goctl make parked
    goctl send parked 1 2>/dev/null &
    sender=$!
    until_number parked senders 1
    goctl close parked
    ended $sender 4
}

# G33
test_B1_lines_wait_while_the_channel_is_full() {
    local sender
    goctl make full --cap 3
    seq 1000 | goctl send --lines full &
    sender=$!
    until_number full senders 1
    same "length" "$(number_of full length)" 3
    goctl recv full -n 1000 >"$temporary/full"
    ended $sender 0
    seq 1000 | cmp - "$temporary/full" || failed "not 1 to 1000 in order"
}

# G23
test_F4_each_senders_values_stay_in_order() {
    local senders=() id
    goctl make many
    for id in 1 2 3; do
        seq ${id}0 ${id}2 | goctl send --lines many &
        senders+=($!)
    done
    goctl recv many -n 9 >"$temporary/many"
    for id in "${senders[@]}"; do ended "$id" 0; done
    same "set" "$(sort -n "$temporary/many" | xargs)" "10 11 12 20 21 22 30 31 32"
    for id in 1 2 3; do
        same "order" "$(grep "^$id" "$temporary/many" | xargs)" "${id}0 ${id}1 ${id}2"
    done
}

# G95
test_drop_oldest_keeps_the_newest_and_counts() {
    goctl make ring --cap 3 --drop-oldest
    seq 10 | goctl send --lines ring
    same "dropped" "$(number_of ring dropped)" 7
    expect 0 $'8\n9\n10' goctl recv ring -n 3
}

test_drop_newest_keeps_the_oldest_and_counts() {
    goctl make first --cap 3 --drop-newest
    seq 10 | goctl send --lines first
    same "dropped" "$(number_of first dropped)" 7
    expect 0 $'1\n2\n3' goctl recv first -n 3
}

# G34
test_S1_select_takes_the_ready_case() {
    goctl make pick.a --cap 1
    goctl make pick.b --cap 1
    refuse 8 "select" goctl select --try --recv pick.a --recv pick.b
    goctl send pick.b two
    expect 0 "pick.b two" goctl select --recv pick.a --recv pick.b --timeout 1h
    goctl send pick.a one
    expect 0 '{"channel":"pick.a","value":"one","case":1}' goctl select --recv pick.b --recv pick.a --json
}

test_S4_select_sends_when_only_the_send_can() {
    goctl make give.a
    goctl make give.c --cap 1
    expect 0 "give.c" goctl select --recv give.a --send give.c=v --timeout 1h
    refuse 3 "deadline" goctl select --recv give.a --send give.c=lost --timeout 20ms
    expect 0 v goctl recv give.c
    expect 0 '{"channel":"give.c","sent":true,"case":0}' goctl select --send give.c=w --json
    same "length" "$(number_of give.c length)" 1
}

test_S9_select_on_closed_is_status_4() {
    goctl make over
    goctl close over
    refuse 4 "over" goctl select --recv over
    refuse 4 "over" goctl select --send over=1
    expect 4 '{"channel":"over","closed":true,"case":0}' goctl select --recv over --json
}

test_IP1_head_takes_one_value_and_loses_none() {
    local n
    goctl make head --cap 100
    seq 30 | goctl send --lines head
    for n in $(seq 29); do
        same "round $n" "$(goctl recv head --follow | head -1)" "$n"
    done
    expect 0 30 goctl recv head
    same "left" "$(number_of head length)" 0
}

test_IP1_a_write_that_fails_gives_the_value_back() {
    goctl make disk --cap 3
    goctl send disk precious
    refuse 1 "standard output" eval "goctl recv disk >/dev/full"
    expect 0 precious goctl recv disk
}

test_a_reader_that_leaves_ends_a_waiting_recv() {
    goctl make left
    goctl recv left --follow | true
    same "pipe" "${PIPESTATUS[0]}" 0
    until_number left receivers 0
}

test_IP4_a_signal_ends_a_receive_and_takes_nothing() {
    local receiver
    goctl make signal --cap 1
    "$GOCTL" recv signal >"$temporary/signal" &
    receiver=$!
    until_number signal receivers 1
    kill -TERM $receiver
    ended $receiver 143
    until_number signal receivers 0
    goctl send signal kept
    expect 0 kept goctl recv signal
    same "output" "$(cat "$temporary/signal")" ""
}

test_IP4_a_killed_receiver_gives_its_value_back() {
    local receiver
    goctl make killed --cap 3
    mkfifo "$temporary/fifo"
    exec 7<>"$temporary/fifo"
    goctl send killed 1 2
    "$GOCTL" recv killed --follow >"$temporary/fifo" &
    receiver=$!
    until_number killed length 1 # the first is written, not taken: held by the receiver
    kill -KILL $receiver
    wait $receiver 2>/dev/null
    until_number killed returned 1
    exec 7>&-
    expect 0 $'{"channel":"killed","value":"1","redelivered":true}\n{"channel":"killed","value":"2"}' \
        goctl recv killed -n 2 --json
}

# P8
test_census_of_licences_by_three_workers() {
    local files out producer workers=() collector worker
    files=$(printf '%s\n' /usr/share/doc/*/copyright)
    goctl make census.files --cap 10
    goctl make census.out --cap 10
    (echo "$files" | goctl send --lines census.files && goctl close census.files) &
    producer=$!
    until_number census.files length 10
    for _ in 1 2 3; do
        goctl range census.files | xargs -d '\n' grep -h '^License:' | goctl send --lines census.out &
        workers+=($!)
    done
    goctl range census.out | sort | uniq -c >"$temporary/census" &
    collector=$!
    ended $producer 0
    for worker in "${workers[@]}"; do ended "$worker" 0; done
    goctl close census.out
    ended $collector 0
    out=$(echo "$files" | xargs -d '\n' grep -h '^License:' | sort | uniq -c)
    same "census" "$(cat "$temporary/census")" "$out"
}

test_IP12_a_durable_channel_survives_the_daemon() {
    node_of_its_own
    expect 0 "" goctl make kept --cap 8 --durable
    expect 0 "" goctl send kept one two
    expect 0 "one" goctl recv kept
    expect 0 "" goctl send kept three # it is on disk, and so is the acknowledgement before it
    node_stop KILL
    node_start
    same "kept" "$(goctl info kept --json | jq -r '"\(.durable) \(.capacity) \(.length + .returned)"')" "true 8 2"
    goctl ls | grep -q 'disk   kept$' || failed "ls does not say where it is kept"
    expect 0 $'two\nthree' goctl recv kept --count 2
    expect 0 "" goctl send kept four
    expect 0 "" goctl close kept
    node_stop KILL
    node_start
    refuse 4 "closed" goctl send kept five
    expect 0 "four" goctl recv kept
    expect 0 "" goctl rm kept
    node_stop KILL
    node_start
    refuse 5 "kept" goctl info kept
    node_stop
    expect 0 "$node/state: 0 faults" "$GOROUTINED" --fsck "$node/state"
}

test_IP12_1_other_wishes_than_the_channel_can_have_are_refused_in_words() {
    refuse 2 "needs a capacity" goctl make rendezvous --durable
    refuse 2 "drops nothing" goctl make ring --durable --cap 1 --drop-oldest
    expect 0 "" goctl make durable.there --cap 1 --durable
    expect 0 "" goctl make durable.there --cap 1 --durable --if-missing
    refuse 1 "is durable" goctl make durable.there --cap 1 --if-missing
    refuse 1 "with capacity 1, not 2" goctl make durable.there --cap 2 --durable --if-missing
}

# until_printed FILE NUMBER waits until the file has so many lines.
until_printed() {
    until [ "$(wc -l <"$temporary/$1")" = "$2" ]; do
        kill -0 "$receiver" || failed "it has ended: $(cat "$temporary/$1.errors")"
    done
}

test_IP12_1_who_follows_a_durable_channel_comes_back_with_the_daemon() {
    local receiver
    node_of_its_own
    goctl make back --durable --cap 9
    "$GOCTL" recv back --follow >"$temporary/back" 2>"$temporary/back.errors" &
    receiver=$!
    goctl send back 1
    until_printed back 1
    until_number back length 0
    node_stop KILL
    node_start
    goctl send back 2
    goctl close back
    ended "$receiver" 4
    same "the end" "$(tail -n 1 "$temporary/back")" 2
    grep -q "channel back is open again" "$temporary/back.errors" || failed "$(cat "$temporary/back.errors")"
    refuse 2 "do not go together" goctl range back --reconnect 1s --no-reconnect
    refuse 2 "--reconnect goes with --follow" goctl recv back --reconnect 1s
}

# There is nothing to come back to: the channel went with its daemon.
test_IP7_3_who_follows_another_channel_ends_with_the_daemon() {
    local receiver
    node_of_its_own
    goctl make gone --cap 9
    goctl range gone 2>/dev/null &
    receiver=$!
    until_number gone receivers 1
    node_stop KILL
    ended "$receiver" 7
    node_start
    goctl make kept --durable --cap 9
    goctl recv kept --follow --no-reconnect 2>/dev/null &
    receiver=$!
    until_number kept receivers 1
    node_stop KILL
    ended "$receiver" 7
    node_start
    goctl ctx new ends
    goctl recv kept --follow --ctx ends 2>/dev/null &
    receiver=$!
    until_number kept receivers 1
    node_stop KILL
    node_start
    ended "$receiver" 7
}

node_start
run_tests
