#!/usr/bin/env bash
# What processes agree with from the shell, beyond locks: reader-writer locks, conditions, counters, barriers, flights,
# breakers, error groups; and commands that end with a context.
. "$(dirname "$0")/lib.sh"

# hold COMMAND... starts `goctl COMMAND... -- a command` that ends when `let_go` is called; returns when that runs.
hold() {
    gate=$(mktemp -u -p "$temporary")
    mkfifo "$gate"
    # shellcheck disable=SC2016
    "$GOCTL" "$@" -- sh -c 'echo held >"$0"; read -r _ <"$0"' "$gate" &
    holder=$!
    read -r _ <"$gate"
}
let_go() { echo >"${1:-$gate}"; }

test_W1_readers_share_and_a_writer_is_alone() {
    local reader first
    hold rwlock read shared
    reader=$holder first=$gate
    expect 0 "second" goctl rwlock read shared --try -- echo second
    refuse 8 "rwlock shared" goctl rwlock write shared --try -- true
    refuse 3 "rwlock shared" goctl rwlock write shared --timeout 1ms -- true
    goctl rwlock write shared -- echo wrote >"$temporary/wrote" &
    until_waiting shared 1
    refuse 8 "rwlock read shared" goctl rwlock read shared --try -- true
    let_go "$first"
    ended "$reader" 0
    ended $! 0
    same "writer" "$(cat "$temporary/wrote")" wrote
    hold rwlock write shared
    refuse 8 "rwlock read shared" goctl rwlock read shared --try -- true
    let_go
    ended "$holder" 0
    expect 7 "" goctl rwlock read shared -- sh -c 'exit 7'
    refuse 2 "none of read, write" goctl rwlock take shared -- true
    refuse 2 "--recover" goctl rwlock read shared --recover -- true
}

test_IP4_readers_hear_of_a_writer_that_died() {
    hold rwlock write torn
    kill -9 "$holder"
    ended "$holder" 137
    expect 0 1 goctl rwlock read torn -- printenv GOROUTINED_OWNER_DIED
    expect 1 "" goctl rwlock write torn -- false
    refuse 1 "--recover" goctl rwlock read torn -- true
    expect 0 1 goctl rwlock write torn --recover -- printenv GOROUTINED_OWNER_DIED
    expect 0 0 goctl rwlock read torn -- printenv GOROUTINED_OWNER_DIED
    let_go
}

test_K2_a_signal_wakes_one_and_none_is_kept() {
    local waiters=() n
    expect 0 '{"condition":"bell","woken":0}' goctl cond signal bell --json
    for n in 1 2 3; do
        goctl cond wait bell door -- sh -c 'echo woken' >"$temporary/bell.$n" &
        waiters+=($!)
        until_waiting bell "$n"
    done
    expect 0 '{"condition":"bell","woken":1}' goctl cond signal bell --json
    ended "${waiters[0]}" 0
    same "woken" "$(cat "$temporary"/bell.?)" woken
    expect 0 '{"condition":"bell","woken":2}' goctl cond broadcast bell --json
    ended "${waiters[1]}" 0
    ended "${waiters[2]}" 0
    expect 0 "" goctl lock --try door -- true
}

test_K1_the_lock_is_held_behind_a_wait_and_free_within() {
    local waiter
    mkfifo "$temporary/k1"
    # shellcheck disable=SC2016
    goctl cond wait k1 k1.lock -- sh -c 'echo held >"$0"; read -r _ <"$0"; echo $GOROUTINED_TOKEN' "$temporary/k1" \
        >"$temporary/k1.token" &
    waiter=$!
    until_waiting k1 1
    expect 0 "free" goctl lock --try k1.lock -- echo free
    goctl cond signal k1
    read -r _ <"$temporary/k1"
    refuse 8 "k1.lock" goctl lock --try k1.lock -- true
    echo >"$temporary/k1"
    ended "$waiter" 0
    grep -qE '^[0-9]+$' "$temporary/k1.token" || failed "no token: $(cat "$temporary/k1.token")"
}

test_K_a_wait_until_a_test_succeeds() {
    local waiter
    goctl cond wait filled inbox --until 'test -s '"$temporary/inbox" -- cat "$temporary/inbox" >"$temporary/got" &
    waiter=$!
    until_waiting filled 1
    goctl cond signal filled # nothing is there yet: it waits on
    until_waiting filled 1
    # shellcheck disable=SC2016
    goctl lock inbox -- sh -c 'echo letter >"$0"' "$temporary/inbox"
    goctl cond signal filled
    ended "$waiter" 0
    same "got" "$(cat "$temporary/got")" letter
    expect 0 letter goctl cond wait filled inbox --until 'test -s '"$temporary/inbox" -- cat "$temporary/inbox"
    expect 127 "" goctl cond wait filled inbox --until 'no-such-command-at-all'
    expect 0 "" goctl lock --try inbox -- true
}

test_cond_wait_gives_up_and_lets_go_of_the_lock() {
    refuse 3 "the deadline passed" goctl cond wait quiet room --timeout 10ms -- true
    refuse 8 "cond wait quiet" goctl cond wait quiet room --try
    expect 0 0 goctl lock --try room -- printenv GOROUTINED_OWNER_DIED
    refuse 2 "usage: goctl cond wait NAME LOCK" goctl cond wait quiet
    refuse 2 "usage: goctl cond signal NAME" goctl cond signal quiet too
    refuse 2 "none of wait, signal, broadcast" goctl cond ring quiet
}

test_a_counter_is_added_to_and_waited_for() {
    local waiter
    expect 0 2 goctl counter add hits 2
    expect 0 '{"counter":"hits","value":3}' goctl counter add hits --json
    expect 0 2 goctl counter add hits -- -1
    expect 0 2 goctl counter get hits
    refuse 8 "counter wait hits" goctl counter wait hits 5 --try
    goctl counter wait hits 5 >"$temporary/hits" &
    waiter=$!
    until_waiting hits 1
    expect 0 7 goctl counter add hits 5
    ended "$waiter" 0
    same "value" "$(cat "$temporary/hits")" 7
    expect 0 "" goctl counter reset hits
    expect 0 0 goctl counter get hits
    goctl counter add hits 9223372036854775807 >"$temporary/hits"
    refuse 1 "counter 'hits': add 1 to 9223372036854775807" goctl counter add hits 1
    refuse 2 '"many" is not a number' goctl counter add hits many
    refuse 2 "too much" goctl counter get hits 1
    refuse 2 "none of add, get, wait, reset" goctl counter take hits
}

test_a_barrier_opens_for_all() {
    local parties=() n
    for n in 1 2; do
        goctl barrier gate 3 --json >"$temporary/gate.$n" &
        parties+=($!)
    done
    until_waiting gate 2
    refuse 1 "barrier gate has 3 parties, not 4" goctl barrier gate 4
    expect 0 '{"barrier":"gate","parties":3,"last":true}' goctl barrier gate 3 --json
    for n in 0 1; do ended "${parties[n]}" 0; done
    same "others" "$(sort -u "$temporary"/gate.?)" '{"barrier":"gate","parties":3,"last":false}'
    expect 0 "" goctl barrier alone 1
    refuse 3 "barrier gate" goctl barrier gate 2 --timeout 1ms
    refuse 8 "barrier gate" goctl barrier gate 2 --try
    refuse 2 "not a number of parties" goctl barrier gate 0
}

test_SF1_a_flight_is_shared_by_those_who_ask_meanwhile() {
    local pilot passenger
    mkfifo "$temporary/sf"
    # shellcheck disable=SC2016
    goctl flight row --json -- sh -c 'echo up >"$0"; read -r _ <"$0"; echo row 1; exit 3' "$temporary/sf" >"$temporary/sf.1" &
    pilot=$!
    read -r _ <"$temporary/sf"
    goctl flight row -- echo never >"$temporary/sf.2" &
    passenger=$!
    until_waiting row 1
    refuse 8 "somebody runs it now" goctl flight row --try -- echo never
    echo >"$temporary/sf"
    ended "$pilot" 3
    ended "$passenger" 3
    same "pilot" "$(cat "$temporary/sf.1")" '{"flight":"row","shared":true,"status":3,"output":"row 1\n"}'
    same "passenger" "$(cat "$temporary/sf.2")" "row 1"
    expect 0 '{"flight":"row","shared":false,"status":0,"output":""}' goctl flight row --json -- true
    refuse 2 "--reset" goctl flight row
}

test_SF2_what_is_too_large_to_share_is_told() {
    refuse 1 "result_bytes_max" goctl flight large -- head -c 20M /dev/zero
    expect 0 small goctl flight large -- echo small
}

test_a_breaker_opens_and_refuses() {
    local call=(goctl breaker api --failures 2 --open 1h --)
    expect 3 "" "${call[@]}" sh -c 'exit 3'
    expect 0 fine "${call[@]}" echo fine
    expect 1 "" "${call[@]}" false
    refuse 1 "opens after 2 failures" goctl breaker api --failures 3 --open 1h -- true
    expect 1 "" "${call[@]}" false
    refuse 10 "breaker 'api': circuit breaker is open; one call may try in 3" "${call[@]}" echo never
    expect 0 "" goctl breaker --reset api
    expect 0 again "${call[@]}" echo again
    refuse 2 "--failures" goctl breaker api -- true
    refuse 2 "--reset" goctl breaker api --failures 1 --open 1s
}

test_E1_an_error_group_tells_the_first_failure() {
    local first second
    expect 0 "" goctl errgroup wait crew
    hold errgroup run crew --limit 2
    first=$holder
    expect 4 "" goctl errgroup run crew --limit 2 -- sh -c 'exit 4'
    expect 5 "" goctl errgroup run crew --limit 2 -- sh -c 'exit 5'
    refuse 1 "error group crew has limit 2, not 3" goctl errgroup run crew --limit 3 -- true
    refuse 8 "errgroup wait crew" goctl errgroup wait crew --try
    refuse 10 "error group 'crew': 1 members run" goctl errgroup reset crew
    goctl errgroup wait crew --json >"$temporary/crew" 2>"$temporary/crew.why" &
    second=$!
    until_waiting crew 1
    let_go
    ended "$first" 0
    ended "$second" 4
    same "told" "$(cat "$temporary/crew")" '{"errgroup":"crew","status":4}'
    grep -q "first that failed had status 4" "$temporary/crew.why" || failed "$(cat "$temporary/crew.why")"
    expect 0 "" goctl errgroup reset crew
    expect 0 "" goctl errgroup wait crew
    refuse 2 "usage: goctl errgroup run NAME -- COMMAND" goctl errgroup run crew
    refuse 2 "none of run, wait, reset" goctl errgroup start crew
}

test_E1_the_death_of_a_member_is_its_error() {
    hold errgroup run lost
    kill -9 "$holder"
    ended "$holder" 137
    refuse 1 "the first that failed: who had it died" goctl errgroup wait lost
    let_go
}

test_a_command_ends_with_its_context() {
    local command
    goctl ctx new shift
    for command in "lock shift.lock" "rwlock write shift.rw" "sem shift.sem --size 1" "errgroup run shift.group"; do
        goctl ctx new shift.one --parent shift
        # shellcheck disable=SC2086
        hold $command --ctx shift.one
        goctl ctx cancel shift.one "end of the shift"
        ended "$holder" 6
        goctl ctx drop shift.one
    done
    expect 0 0 goctl lock --try shift.lock -- printenv GOROUTINED_OWNER_DIED
}

test_a_command_ends_with_the_deadline_of_its_context() {
    node_of_its_own --test-clock
    goctl ctx new shift --timeout 1h
    hold lock late --ctx shift 2>"$temporary/late"
    goctl advance 1h
    ended "$holder" 3
    grep -q "sh was ended with context shift: context deadline exceeded" "$temporary/late" || failed "$(cat "$temporary/late")"
    refuse 3 "deadline exceeded" goctl lock late --ctx shift -- echo never
}

test_a_wait_for_a_lock_ends_with_its_context() {
    local waiter
    goctl ctx new patience
    hold lock taken
    goctl lock taken --ctx patience -- echo never 2>"$temporary/patience" &
    waiter=$!
    until_waiting taken 1
    goctl ctx cancel patience "enough"
    ended "$waiter" 6
    grep -q "lock taken: enough" "$temporary/patience" || failed "$(cat "$temporary/patience")"
    let_go
    ended "$holder" 0
}

test_a_signal_ends_the_command_and_leaves_the_context() {
    goctl ctx new quiet
    hold lock quiet.lock --ctx quiet
    kill -TERM "$holder"
    ended "$holder" 143
    goctl ctx info quiet | grep -qx 'state     open' || failed "$(goctl ctx info quiet)"
    expect 0 0 goctl lock --try quiet.lock -- printenv GOROUTINED_OWNER_DIED
}

node_start
run_tests
