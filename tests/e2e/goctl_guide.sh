#!/usr/bin/env bash
# Rows of tests/guide/ROWS.md in form C: concurrent programs made of shell lines. The number of the row is in the name.
. "$(dirname "$0")/lib.sh"
trial=$PLUGINS/trial.so

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

# increment FILE adds one to the number in it, by reading it and writing it.
increment() { echo $(($(cat "$1") + 1)) >"$1"; }
export -f increment

test_G11_a_wait_group_over_three_commands() {
    local round workers=() waiters=() n
    for round in 1 2; do
        workers=() waiters=()
        expect 0 "" goctl wg add g11 3
        refuse 8 "g11" goctl wg wait g11 --try
        for n in 1 2; do
            goctl wg wait g11 &
            waiters+=($!)
        done
        for n in 1 2 3; do
            (echo "worker $n starts" && echo "worker $n ends" && goctl wg done g11) >"$temporary/g11.$n" &
            workers+=($!)
        done
        expect 0 "" goctl wg wait g11
        same "lines" "$(cat "$temporary"/g11.? | sort | xargs -n3 | cut -d' ' -f3 | xargs)" "ends starts ends starts ends starts"
        each_ended 0 "${workers[@]}" "${waiters[@]}"
        expect 0 "" goctl wg wait g11
    done
}

test_G40_twenty_increments_under_a_lock() {
    local commands=() _
    echo 0 >"$temporary/g40"
    for _ in $(seq 20); do
        goctl lock g40 -- bash -c 'mkdir "$0.in" && increment "$0" && rmdir "$0.in"' "$temporary/g40" &
        commands+=($!)
    done
    each_ended 0 "${commands[@]}"
    same "counter" "$(cat "$temporary/g40")" 20
}

test_G42_the_next_locker_is_told_that_the_owner_died() {
    local holder
    mkfifo "$temporary/g42"
    "$GOCTL" lock g42 -- sh -c 'echo held >"$0"; read -r _ <"$0"' "$temporary/g42" &
    holder=$!
    read -r _ <"$temporary/g42"
    refuse 8 "g42" goctl lock --try g42 -- true
    kill -KILL $holder
    ended $holder 137
    echo >"$temporary/g42" # the command may end, too
    expect 0 1 goctl lock g42 -- printenv GOROUTINED_OWNER_DIED
    expect 0 0 goctl lock g42 -- printenv GOROUTINED_OWNER_DIED
}

test_G44_a_command_runs_once_for_five_callers() {
    local callers=() n
    for n in 1 2 3 4 5; do
        (goctl once g44 -- sh -c 'echo ran >>"$0.log"; echo "Singleton Instance" >"$0"' "$temporary/g44" &&
            cat "$temporary/g44") >"$temporary/g44.$n" &
        callers+=($!)
    done
    each_ended 0 "${callers[@]}"
    same "ran" "$(cat "$temporary/g44.log")" ran
    same "got" "$(cat "$temporary"/g44.[1-5] | sort | uniq -c | xargs)" "5 Singleton Instance"
    expect 137 "" goctl once g44.dies -- sh -c 'kill -KILL $$'
    refuse 1 "g44.dies" goctl once g44.dies -- echo never
}

test_G51_the_units_of_a_holder_that_died_return() {
    local holder large small
    mkfifo "$temporary/g51"
    "$GOCTL" sem g51 --size 6 --units 4 -- sh -c 'echo held >"$0"; read -r _ <"$0"' "$temporary/g51" &
    holder=$!
    read -r _ <"$temporary/g51"
    goctl ctx new g51
    goctl sem g51 --size 6 --units 5 --ctx g51 -- echo large 2>"$temporary/g51.large" &
    large=$!
    until_waiting g51 1
    expect 8 "" goctl sem g51 --size 6 --units 1 --try -- true
    goctl sem g51 --size 6 --units 1 -- echo small >"$temporary/g51.small" &
    small=$!
    until_waiting g51 2
    goctl ctx cancel g51
    ended $large 6
    ended $small 0
    same "small" "$(cat "$temporary/g51.small")" small
    kill -KILL $holder
    ended $holder 137
    echo >"$temporary/g51" # the command may end, too
    expect 0 all goctl sem g51 --size 6 --units 6 -- echo all
}

test_G119_five_of_twenty_find_a_token() {
    local n
    for n in $(seq 20); do
        if goctl limit g119 --try --every 1h --burst 5 2>/dev/null; then echo token; else echo "$?: rate limited"; fi
    done >"$temporary/g119"
    same "tries" "$(sort "$temporary/g119" | uniq -c | xargs)" "15 8: rate limited 5 token"
}

test_G121_what_is_over_the_rate_waits() {
    local n
    for n in 1 2 3 4; do expect 0 "" goctl limit g121 --every 1h --burst 4 --try; done
    refuse 3 "g121" goctl limit g121 --every 1h --burst 4 --timeout 10ms
    for n in 1 2 3 4 5 6; do expect 0 "request $n" goctl limit g121.fast --every 5ms --burst 4 -- echo "request $n"; done
}

node_start
run_tests
