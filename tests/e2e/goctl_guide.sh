#!/usr/bin/env bash
# Rows of tests/guide/ROWS.md in form C: concurrent programs made of shell lines. The number of the row is in the name.
. "$(dirname "$0")/lib.sh"
trial=$PLUGINS/trial.so

# each_ended STATUS PID... waits for all of them.
each_ended() {
    local status=$1 pid
    shift
    for pid in "$@"; do ended "$pid" "$status"; done
}

test_G01_a_job_prints_its_greeting() {
    expect 0 "Hello, World!" goctl submit "$trial:hello" World --wait
}

test_G06_a_job_is_ready_then_running_then_done() {
    local id
    goctl make g06
    id=$(goctl submit "$trial:receive" g06)
    until_state "$id" running
    goctl send g06 on
    until_state "$id" "done"
}

test_G09_a_done_channel_joins_a_worker() {
    local worker
    goctl make g09
    (echo "step 1"; echo "step 2"; goctl send g09 true) >"$temporary/g09" &
    worker=$!
    expect 0 true goctl recv g09
    same "steps" "$(cat "$temporary/g09")" $'step 1\nstep 2'
    ended $worker 0
}

test_G14_lines_of_many_goroutines_stay_whole() {
    local id
    id=$(goctl submit "$trial:print_many")
    goctl wait "$id" >"$temporary/g14"
    same "lines" "$(goctl logs "$id" | grep -cE '^[0-9]+ [0-9]+ x{200}$')" 500
    same "of the first" "$(goctl logs "$id" | awk '$1 == 0 { print $2 }' | xargs)" "$(seq 0 49 | xargs)"
}

test_G25_a_send_parks_at_capacity() {
    local sender
    goctl make g25 --cap 2
    goctl send g25 msg1 msg2 msg3 &
    sender=$!
    until_number g25 senders 1
    same "stored" "$(number_of g25 length)" 2
    expect 0 msg1 goctl recv g25
    ended $sender 0
    expect 0 $'msg2\nmsg3' goctl recv g25 -n 2
}

test_G38_a_select_of_receive_and_send_takes_effect_once() {
    local n received=0
    goctl make g38.in --cap 1
    goctl make g38.out --cap 100
    for n in $(seq 20); do
        goctl send --try g38.in "$n" 2>/dev/null # refused while the one before is there
        case $(goctl select --recv g38.in --send "g38.out=$n") in
        g38.in*) received=$((received + 1)) ;;
        esac
    done
    same "received and sent" $((received + $(number_of g38.out length))) 20
    same "taken out" $((received + $(number_of g38.in length))) "$(number_of g38.in sent)"
}

test_G62_a_deadline_ends_the_slow_operation_and_no_child_extends_it() {
    goctl make g62.quick --cap 1
    goctl make g62.slow
    goctl send g62.quick result
    goctl ctx new g62 --timeout 50ms
    goctl ctx new g62.child --parent g62 --timeout 1h
    expect 0 result goctl recv g62.quick --timeout 1h
    refuse 3 "deadline exceeded" goctl recv g62.slow --ctx g62
    expect 3 "timeout context deadline exceeded" goctl ctx wait g62.child
    refuse 3 "deadline exceeded" goctl recv g62.slow --ctx g62.child
}

test_G66_a_cancel_reaches_every_command_that_waits() {
    local waiters=()
    goctl make g66.in
    goctl make g66.out
    goctl ctx new g66
    goctl ctx new g66.other
    goctl recv g66.in --ctx g66 2>/dev/null &
    waiters+=($!)
    goctl send g66.out never --ctx g66 2>/dev/null &
    waiters+=($!)
    goctl select --recv g66.in --send g66.out=never --ctx g66 2>/dev/null &
    waiters+=($!)
    goctl wait "$(goctl submit "$trial:wait" --ctx g66)" 2>/dev/null &
    waiters+=($!)
    until_number g66.in receivers 2
    until_number g66.out senders 2
    goctl ctx cancel g66
    each_ended 6 "${waiters[@]}"
    refuse 8 g66.in goctl send --try g66.in nobody
    refuse 8 g66.out goctl recv --try g66.out
}

# double reads numbers and prints them doubled, one by one.
double() { while read -r n; do echo $((2 * n)); done; }

test_G69_three_workers_double_nine_jobs() {
    local workers=()
    goctl make g69.jobs --cap 9
    goctl make g69.results --cap 9
    for _ in 1 2 3; do
        (goctl range g69.jobs | double | goctl send --lines g69.results) &
        workers+=($!)
    done
    seq 9 | goctl send --lines g69.jobs
    goctl close g69.jobs
    each_ended 0 "${workers[@]}"
    goctl close g69.results
    same "results" "$(goctl range g69.results | sort -n | xargs)" "2 4 6 8 10 12 14 16 18"
}

test_G79_one_producer_three_consumers() {
    local workers=() id
    goctl make g79
    for id in 1 2 3; do
        goctl range g79 >"$temporary/g79.$id" &
        workers+=($!)
    done
    seq 10 | goctl send --lines g79
    goctl close g79
    each_ended 0 "${workers[@]}"
    same "each once" "$(cat "$temporary"/g79.? | sort -n | xargs)" "$(seq 10 | xargs)"
}

test_G81_a_pipeline_of_three_stages() {
    local stages=()
    goctl make g81.a
    goctl make g81.b
    (seq 5 | goctl send --lines g81.a && goctl close g81.a) &
    stages+=($!)
    (goctl range g81.a | while read -r n; do echo $((n * n)); done | goctl send --lines g81.b && goctl close g81.b) &
    stages+=($!)
    same "sequence" "$(goctl range g81.b | double | xargs)" "2 8 18 32 50"
    each_ended 0 "${stages[@]}"
}

test_G88_fan_out_and_fan_in() {
    local workers=()
    goctl make g88.in
    goctl make g88.out
    for _ in 1 2 3; do
        (goctl range g88.in | while read -r n; do echo $((n * 10)); done | goctl send --lines g88.out) &
        workers+=($!)
    done
    goctl range g88.out >"$temporary/g88" &
    workers+=($!)
    seq 10 | goctl send --lines g88.in
    goctl close g88.in
    each_ended 0 "${workers[@]:0:3}"
    goctl close g88.out
    ended "${workers[3]}" 0
    same "set" "$(sort -n "$temporary/g88" | xargs)" "$(seq 10 10 100 | xargs)"
}

test_G100_an_error_stays_with_its_job() {
    local id
    id=$(goctl submit "$trial:fail" --retries 1)
    expect 9 "" goctl wait "$id"
    goctl job "$id" | grep -qx 'text      the disk of trial' || failed "$(goctl job "$id")"
}

test_G103_a_crash_is_charged_to_the_guilty_job_alone() {
    local neighbour
    goctl make g103
    neighbour=$(goctl submit "$trial:receive" g103)
    until_state "$neighbour" running
    refuse 9 "cause crash" goctl submit "$trial:crash" --retries 1 --wait
    goctl send g103 unharmed
    expect 0 unharmed goctl wait "$neighbour"
    goctl job "$neighbour" --json | grep -q '"failures":0,.*"crashes":0' || failed "$(goctl job "$neighbour")"
}

test_G135_word_counts_per_file_and_one_missing() {
    local file words
    for file in /usr/share/common-licenses/{Artistic,BSD}; do
        words=$(LC_ALL=C tr -cs A-Za-z '\n' <"$file" | grep -c .)
        goctl submit "$EXAMPLES/wordcount.so:count" "$file" --wait | grep -q "^$words words, $(wc -l <"$file") lines" ||
            failed "$file has $words words"
    done
    refuse 9 "/no/such/file" goctl submit "$EXAMPLES/wordcount.so:count" /no/such/file --retries 1 --wait
}

node_start
run_tests
