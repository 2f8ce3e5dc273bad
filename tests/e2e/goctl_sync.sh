#!/usr/bin/env bash
# What processes agree with, from the shell: what is held while a command runs, and what its death leaves.
. "$(dirname "$0")/lib.sh"

# until_line FILE waits for a command to have written a line. A pipe would do, but its reader may not be there.
until_line() { until [ -s "$1" ]; do kill -0 "$daemon" || failed "the daemon is gone"; done; }

# hold COMMAND... starts `goctl COMMAND... -- a command` that ends when `let_go` is called; returns when that runs.
hold() {
    mkfifo "$temporary/$BASHPID.wait" 2>/dev/null || true
    gate=$temporary/$BASHPID.wait held=$temporary/$BASHPID.held
    : >"$held"
    # shellcheck disable=SC2016
    "$GOCTL" "$@" -- sh -c 'echo $$ >"$0"; read _ <"$1"' "$held" "$gate" &
    holder=$!
    until_line "$held"
}
let_go() { echo >"$gate"; }

test_the_exit_status_is_the_commands() {
    expect 0 "hello" goctl lock status -- echo hello
    expect 7 "" goctl lock status -- sh -c 'exit 7'
    expect 143 "" goctl lock status -- sh -c 'kill -TERM $$'
    refuse 127 "no-such-command" goctl lock status -- no-such-command
    refuse 126 "cannot run" goctl lock status -- /
    refuse 2 "something is missing" goctl lock status
}

test_the_command_has_its_options_and_input() {
    expect 0 "--try a" goctl lock words -- echo --try a
    same "input" "$(echo text | goctl lock words -- cat)" text
}

test_M1_one_command_at_a_time_holds_a_lock() {
    hold lock one
    refuse 8 "lock one" goctl lock --try one -- echo second
    refuse 3 "lock one" goctl lock --timeout 1ms one -- echo second
    let_go
    ended "$holder" 0
    expect 0 "second" goctl lock --try one -- echo second
}

test_M3_tokens_rise() {
    local first second
    # shellcheck disable=SC2016
    first=$(goctl lock token -- sh -c 'echo $GOROUTINED_TOKEN')
    # shellcheck disable=SC2016
    second=$(goctl lock token -- sh -c 'echo $GOROUTINED_TOKEN')
    [ "$second" -gt "$first" ] || failed "$second after $first"
}

test_IP4_the_death_of_an_owner_is_told_and_put_right() {
    hold lock death
    kill -9 "$holder"
    ended "$holder" 137
    # shellcheck disable=SC2016
    expect 0 1 goctl lock death -- sh -c 'echo $GOROUTINED_OWNER_DIED'
    # shellcheck disable=SC2016
    expect 0 0 goctl lock death -- sh -c 'echo $GOROUTINED_OWNER_DIED'
    let_go
}

test_IP4_a_failed_command_leaves_the_lock_to_who_recovers_it() {
    hold lock broken
    kill -9 "$holder"
    ended "$holder" 137
    expect 1 "" goctl lock broken -- false
    refuse 1 "--recover" goctl lock broken -- true
    # shellcheck disable=SC2016
    expect 0 1 goctl lock --recover broken -- sh -c 'echo $GOROUTINED_OWNER_DIED'
    expect 0 "" goctl lock broken -- true
    let_go
}

test_a_signal_ends_the_command_first() {
    hold lock signal
    kill -TERM "$holder"
    ended "$holder" 143
    kill -0 "$(cat "$held")" 2>/dev/null && failed "the command outlived its lock"
    expect 0 0 goctl lock signal -- printenv GOROUTINED_OWNER_DIED
}

test_SE_a_semaphore_lets_so_many_run() {
    hold sem pool --size 3 --units 2
    expect 0 "third" goctl sem pool --size 3 -- echo third
    refuse 8 "sem pool" goctl sem --try pool --size 3 -n 2 -- echo fourth
    refuse 2 "--size" goctl sem pool -- echo none
    refuse 1 "semaphore 'pool': acquire 4 of 3 units: more than there ever are" goctl sem pool --size 3 -n 4 -- echo none
    refuse 1 "semaphore pool has 3 units" goctl sem pool --size 4 -- echo other
    refuse 1 "pool is a semaphore" goctl lock pool -- echo other
    kill -9 "$holder"
    ended "$holder" 137
    expect 5 "" goctl sem pool --size 3 --units 3 -- sh -c 'exit 5'
    let_go
}

test_A_a_wait_group_ends_when_all_units_are_done() {
    expect 0 '{"group":"crew","added":2}' goctl wg add crew 2 --json
    refuse 8 "wg wait crew" goctl wg wait crew --try
    refuse 2 "\"0\" is not a number" goctl wg done crew 0
    refuse 1 "wg done crew: wait group 'crew': done 3 with counter 2" goctl wg done crew 3
    expect 0 "" goctl wg done crew
    goctl wg wait crew &
    expect 0 "" goctl wg done crew
    ended $! 0
    refuse 1 "wait group 'crew': done 1 with counter 0" goctl wg done crew
    refuse 2 "none of add, done, wait" goctl wg take crew
}

test_O1_a_command_runs_once() {
    expect 0 "ran" goctl once setup -- echo ran
    expect 0 "" goctl once setup -- echo ran
    expect 0 "" goctl once --reset setup
    expect 0 "ran" goctl once setup -- echo ran
    refuse 2 "--reset" goctl once setup
}

test_O2_its_failure_is_told_until_a_reset() {
    expect 3 "" goctl once fails -- sh -c 'exit 3'
    refuse 1 "once 'fails': its function failed, or who ran it died; the command failed" goctl once fails -- echo ran
    goctl once --reset fails
    hold once fails
    refuse 8 "once fails" goctl once --try fails -- echo ran
    kill -9 "$holder"
    ended "$holder" 137
    refuse 1 "--reset" goctl once fails -- echo ran
    let_go
}

test_a_limiter_lets_a_burst_through() {
    expect 0 "first" goctl limit mail --every 1h --burst 2 -- echo first
    expect 0 "" goctl limit mail --every 1h --burst 2
    refuse 8 "limit mail" goctl limit mail --try --every 1h --burst 2 -- echo third
    refuse 3 "limit mail" goctl limit mail --timeout 1ms --every 1h --burst 2
    refuse 1 "limiter mail gives one each" goctl limit mail --every 2h --burst 2
    refuse 2 "--every" goctl limit mail
}

node_start
run_tests
