#!/usr/bin/env bash
# Rows of tests/guide/ROWS.md in form C: pools, pipelines and services made of shell lines. The number of the row is in
# the name.
. "$(dirname "$0")/lib.sh"
trial=$PLUGINS/trial.so

# stage FROM TO COMMAND... is one stage of a pipeline: what the command makes of each line of FROM goes to TO, which it closes.
stage() {
    local from=$1 to=$2
    shift 2
    goctl range "$from" | "$@" | goctl send --lines "$to" && goctl close "$to"
}

square() { while read -r n; do echo $((n * n)); done; }
add_ten() { while read -r n; do echo $((n + 10)); done; }
keep_even() { while read -r n; do [ $((n % 2)) = 1 ] || echo "$n"; done; }

test_G21_a_late_receiver_and_two_words() {
    local sender
    goctl make g21
    (goctl send g21 hello && echo "Sent 'hello'" && goctl send g21 world && echo "Sent 'world'") >"$temporary/g21" &
    sender=$!
    until_number g21 senders 1
    same "before Receiving..." "$(cat "$temporary/g21")" ""
    expect 0 $'hello\nworld' goctl recv g21 -n 2
    ended $sender 0
    same "lines" "$(cat "$temporary/g21")" $'Sent \'hello\'\nSent \'world\''
}

test_G32_another_size_or_type_is_refused_before_a_value_moves() {
    goctl make g32 --cap 1 --element 4 --type number
    expect 0 "" goctl make g32 --cap 1 --element 4 --type number --if-missing
    refuse 1 g32 goctl make g32 --cap 1 --element 8 --type number --if-missing
    refuse 1 g32 goctl make g32 --cap 1 --element 4 --type letter --if-missing
    refuse 2 g32 goctl send g32 12345
    same "sent" "$(number_of g32 sent)" 0
    expect 0 "" goctl send g32 1234
    expect 0 1234 goctl recv g32
}

test_G50_ten_slots_for_25_tasks() {
    local tasks=() task
    goctl make g50.slots --cap 10
    goctl make g50.gate
    goctl make g50.work --cap 25
    for task in $(seq 25); do
        (goctl send g50.slots "$task" && goctl send g50.work "$task" && goctl range g50.gate &&
            goctl recv g50.slots) >"$temporary/g50.$task" &
        tasks+=($!)
    done
    until_number g50.slots senders 15
    until_number g50.gate receivers 10
    same "at work" "$(number_of g50.work length)" 10
    goctl close g50.gate
    each_ended 0 "${tasks[@]}"
    same "done" "$(number_of g50.work length)" 25
    same "slots taken" "$(number_of g50.slots length)" 0
}

test_G56_a_counter_with_an_owner() {
    local owner clients=() n
    goctl make g56.add
    goctl make g56.ask
    goctl make g56.answer
    (
        counter=0
        while case=$(goctl select --recv g56.add --recv g56.ask 2>/dev/null); do
            case $case in
            g56.add*) counter=$((counter + ${case#* })) ;;
            g56.ask*) goctl send g56.answer $counter ;;
            esac
        done
    ) &
    owner=$!
    for n in 1 2 3 4; do
        (yes 1 | head -25 | goctl send --lines g56.add) &
        clients+=($!)
    done
    each_ended 0 "${clients[@]}"
    goctl send g56.ask "how many?"
    expect 0 100 goctl recv g56.answer
    goctl close g56.add
    ended $owner 0
    same "left" "$(number_of g56.add senders) $(number_of g56.add receivers)" "0 0"
}

test_G67_delayed_work_runs_once_or_when_cancelled_never() {
    local id
    id=$(goctl submit "$trial:hello" later --in 1h)
    expect 0 "" goctl cancel "$id"
    expect 6 "" goctl wait "$id"
    same "done" "$(goctl logs "$id")" ""
    id=$(goctl submit "$trial:hello" later --in 1ms)
    goctl wait "$id" >"$temporary/g67"
    same "done" "$(goctl logs "$id")" "Hello, later!"
}

# work_or_fail reads job numbers; every third one fails.
work_or_fail() {
    while read -r n; do
        if [ $((n % 3)) = 0 ]; then echo "failed $n"; else echo "processed_data_$n"; fi
    done
}

test_G70_a_pool_with_errors() {
    local workers=()
    goctl make g70.jobs
    goctl make g70.results --cap 10
    for _ in 1 2 3; do
        (goctl range g70.jobs | work_or_fail | goctl send --lines g70.results) &
        workers+=($!)
    done
    seq 10 | goctl send --lines g70.jobs
    goctl close g70.jobs
    each_ended 0 "${workers[@]}"
    goctl close g70.results
    goctl range g70.results | sort >"$temporary/g70"
    same "failed" "$(sed -n 's/^failed //p' "$temporary/g70" | xargs)" "3 6 9"
    same "succeeded" "$(sed -n 's/^processed_data_//p' "$temporary/g70" | sort -n | xargs)" "1 2 4 5 7 8 10"
}

test_G71_thirty_jobs_through_a_queue_of_ten() {
    local workers=() collector
    goctl make g71.tasks --cap 10
    goctl make g71.results
    seq 10 | goctl send --try --lines g71.tasks
    (goctl range g71.results >"$temporary/g71" && echo "All jobs completed" >>"$temporary/g71") &
    collector=$!
    for _ in 1 2 3; do
        (goctl range g71.tasks | sed -u 's/^/Processed: Task-/' | goctl send --lines g71.results) &
        workers+=($!)
    done
    seq 11 40 | goctl send --lines g71.tasks
    goctl close g71.tasks
    each_ended 0 "${workers[@]}"
    goctl close g71.results
    ended $collector 0
    same "results" "$(sed -n 's/^Processed: Task-//p' "$temporary/g71" | sort -n | xargs)" "$(seq 40 | xargs)"
    same "last" "$(tail -1 "$temporary/g71")" "All jobs completed"
}

test_G72_ten_tasks_by_the_name_of_their_function() {
    local ids=() n
    for n in $(seq 10); do ids+=("$(goctl submit "$trial:echo" "$n")"); done
    same "each once" "$(goctl wait "${ids[@]}" | sort -n | xargs)" "$(seq 10 | xargs)"
    refuse 9 "the disk of trial" goctl submit "$trial:fail" --retries 1 --wait
}

test_G75_a_pool_finishes_what_is_queued_and_counts_it() {
    local workers=() n
    goctl make g75.tasks --cap 12
    seq 12 | goctl send --try --lines g75.tasks
    goctl close g75.tasks
    refuse 4 g75.tasks goctl send g75.tasks 13
    for n in 1 2 3; do
        # One task panics, as a job; its worker goes on.
        (while task=$(goctl recv g75.tasks 2>/dev/null); do
            if [ "$task" = 5 ]; then goctl submit "$trial:panic" --retries 1 --wait 2>/dev/null; fi && echo "$task done" ||
                echo "$task failed"
        done >"$temporary/g75.$n") &
        workers+=($!)
    done
    each_ended 0 "${workers[@]}"
    same "counters" "$(cat "$temporary"/g75.? | wc -l)" 12
    same "failed" "$(cat "$temporary"/g75.? | grep failed)" "5 failed"
    same "each once" "$(cat "$temporary"/g75.? | cut -d' ' -f1 | sort -n | xargs)" "$(seq 12 | xargs)"
}

test_G82_a_pipeline_of_four_stages() {
    local stages=()
    goctl make g82.a
    goctl make g82.b
    goctl make g82.c
    (seq 10 | goctl send --lines g82.a && goctl close g82.a) &
    stages+=($!)
    stage g82.a g82.b square &
    stages+=($!)
    stage g82.b g82.c add_ten &
    stages+=($!)
    same "sequence" "$(goctl range g82.c | keep_even | xargs)" "14 26 46 74 110"
    each_ended 0 "${stages[@]}"
}

# send_or_stop CHANNEL VALUE sends, unless g86.stop is closed before.
send_or_stop() { goctl select --send "$1=$2" --recv g86.stop >/dev/null 2>&1; }

test_G86_a_consumer_takes_two_values_and_cancels() {
    local stages=() n=1
    goctl make g86.numbers
    goctl make g86.squares
    goctl make g86.stop
    (while send_or_stop g86.numbers $n; do n=$((n + 1)); done && goctl close g86.numbers) &
    stages+=($!)
    (while n=$(goctl recv g86.numbers 2>/dev/null) && send_or_stop g86.squares $((n * n)); do :; done
    goctl close g86.squares) &
    stages+=($!)
    expect 0 $'1\n4' goctl recv g86.squares -n 2
    until_number g86.squares senders 1
    goctl close g86.stop
    each_ended 0 "${stages[@]}"
    expect 0 "" goctl range g86.squares
    same "under way" "$(number_of g86.numbers length) $(number_of g86.numbers senders)" "0 0"
}

test_G91_a_generator_is_lazy_and_ends() {
    local generator
    goctl make g91
    (seq 0 2 10 | goctl send --lines g91 && goctl close g91) &
    generator=$!
    until_number g91 senders 1
    same "made ahead" "$(number_of g91 length)" 0
    expect 0 $'0\n2\n4\n6\n8\n10' goctl range g91
    ended $generator 0
}

# worker CHANNEL FILE works until CHANNEL.quit is closed.
worker() {
    while case=$(goctl select --recv "$1.work" --recv "$1.quit" 2>/dev/null); do echo "work ${case#* }"; done >"$2"
    echo cleanup >>"$2"
    goctl send "$1.ended" true
}

test_G92_three_listeners_stop_on_one_close() {
    local listeners=() n
    goctl make g92.work
    goctl make g92.quit
    goctl make g92.ended --cap 3
    for n in 1 2 3; do
        worker g92 "$temporary/g92.$n" &
        listeners+=($!)
    done
    seq 6 | goctl send --lines g92.work
    until_number g92.quit receivers 3
    goctl close g92.quit
    expect 0 $'true\ntrue\ntrue' goctl recv g92.ended -n 3
    each_ended 0 "${listeners[@]}"
    same "work" "$(cat "$temporary"/g92.? | sed -n 's/^work //p' | sort -n | xargs)" "1 2 3 4 5 6"
    for n in 1 2 3; do same "last line" "$(tail -1 "$temporary/g92.$n")" cleanup; done
    same "cleanups" "$(cat "$temporary"/g92.? | grep -c cleanup)" 3
}

# tee_to sends each value of g93.in to both, in the order in which they are ready, until g93.stop is closed.
tee_to() {
    local value first
    while value=$(goctl recv "$1" 2>/dev/null); do
        first=$(goctl select --send "$2=$value" --send "$3=$value" --recv g93.stop 2>/dev/null) || break
        if [ "$first" = "$2" ]; then first=$3; else first=$2; fi
        goctl select --send "$first=$value" --recv g93.stop >/dev/null 2>&1 || break
    done
    goctl close "$2" "$3"
}

test_G93_a_tee_waits_for_both_readers_or_a_cancel() {
    local source tee quick
    goctl make g93.in
    goctl make g93.a
    goctl make g93.b
    goctl make g93.stop
    (seq 5 | goctl send --lines g93.in) &
    source=$!
    tee_to g93.in g93.a g93.b &
    tee=$!
    goctl recv g93.a -n 5 >"$temporary/g93" &
    quick=$!
    until_number g93.b senders 1
    until_number g93.a receivers 1
    same "one ahead" "$(number_of g93.a received)" 1
    expect 0 $'1\n2\n3\n4\n5' goctl recv g93.b -n 5
    ended $quick 0
    ended $source 0
    same "quick" "$(xargs <"$temporary/g93")" "1 2 3 4 5"
    goctl send g93.in 6
    until_number g93.b senders 1
    goctl close g93.stop
    ended $tee 0
    expect 0 "" goctl range g93.b
}

test_G112_a_job_that_waits_for_a_client_is_no_deadlock() {
    local id
    goctl make g112
    id=$(goctl submit "$trial:receive" g112)
    until_number g112 receivers 1
    same "state" "$(state_of "$id")" running
    goctl send g112 42
    expect 0 42 goctl wait "$id"
}

test_G122_jobs_are_dealt_in_turn() {
    local workers=() n
    for n in 0 1 2; do
        goctl make g122.$n --cap 10
        goctl range g122.$n >"$temporary/g122.$n" &
        workers+=($!)
    done
    for n in $(seq 10); do goctl send "g122.$(((n - 1) % 3))" "$n"; done
    goctl close g122.0 g122.1 g122.2
    refuse 4 g122.0 goctl send g122.0 11
    each_ended 0 "${workers[@]}"
    same "worker 0" "$(xargs <"$temporary/g122.0")" "1 4 7 10"
    same "worker 1" "$(xargs <"$temporary/g122.1")" "2 5 8"
    same "worker 2" "$(xargs <"$temporary/g122.2")" "3 6 9"
}

test_G98_results_errors_and_a_summary() {
    local workers=() n good bad
    goctl make g98.tasks
    goctl make g98.results --cap 10
    goctl make g98.errors --cap 10
    for _ in 1 2 3; do
        (goctl range g98.tasks | while read -r n; do
            if [ $((n % 4)) = 0 ]; then goctl send g98.errors "$n"; else goctl send g98.results "Processed: task-$n"; fi
        done) &
        workers+=($!)
    done
    seq 10 | goctl send --lines g98.tasks
    goctl close g98.tasks
    each_ended 0 "${workers[@]}"
    goctl close g98.results g98.errors
    good=$(goctl range g98.results | sort -u | grep -c '^Processed: task-') bad=$(goctl range g98.errors | sort -n | xargs)
    same "failures" "$bad" "4 8"
    same "summary" "Summary: $good successful, $(echo "$bad" | wc -w) failed" "Summary: 8 successful, 2 failed"
}

test_G114_a_guarded_send_ends_when_the_receiver_has_left() {
    local senders=() n sent=0 refused=0
    goctl make g114.data
    goctl make g114.stop
    for n in 1 2 3; do
        (for _ in $(seq 10); do
            case $(goctl select --send g114.data=value --recv g114.stop 2>/dev/null) in
            g114.data) echo sent ;;
            *) echo refused ;;
            esac
        done >"$temporary/g114.$n") &
        senders+=($!)
    done
    goctl recv g114.data -n 5 >"$temporary/g114"
    until_number g114.data senders 3
    goctl close g114.stop
    each_ended 0 "${senders[@]}"
    sent=$(cat "$temporary"/g114.? | grep -c sent) refused=$(cat "$temporary"/g114.? | grep -c refused)
    same "received, sent, refused" "$(wc -l <"$temporary/g114") $sent $refused" "5 5 25"
}

test_G125_ten_workers_share_three_resources() {
    local workers=() n
    goctl make g125.pool --cap 3
    goctl make g125.gate
    goctl send g125.pool 1 2 3
    for n in $(seq 10); do
        (resource=$(goctl recv g125.pool) && echo "acquire $resource" && mkdir "$temporary/g125.in.$resource" &&
            goctl range g125.gate && rmdir "$temporary/g125.in.$resource" && echo "release $resource" &&
            goctl send g125.pool "$resource") >"$temporary/g125.$n" &
        workers+=($!)
    done
    until_number g125.pool receivers 7
    until_number g125.gate receivers 3
    goctl close g125.gate
    each_ended 0 "${workers[@]}"
    same "acquired and released" "$(cat "$temporary"/g125.[0-9]* | cut -d' ' -f1 | sort | uniq -c | xargs)" "10 acquire 10 release"
    same "left" "$(goctl recv g125.pool -n 3 | sort -n | xargs)" "1 2 3"
}

# submit_to KIND ID accepts a job of that kind, or says why not.
submit_to() { goctl send --try "g126.$1" "$2"; }

test_G126_a_job_processor_with_a_queue_for_each_kind() {
    local handlers=() kind n
    goctl make g126.mail --cap 10
    goctl make g126.image --cap 10
    for n in $(seq 10); do
        expect 0 "" submit_to mail "$n"
        expect 0 "" submit_to image "$n"
    done
    refuse 5 g126.video submit_to video 11
    refuse 8 g126.mail submit_to mail 11
    goctl close g126.mail g126.image
    refuse 4 g126.mail submit_to mail 12
    for kind in mail image; do
        goctl range g126.$kind >"$temporary/g126.$kind" &
        handlers+=($!)
    done
    each_ended 0 "${handlers[@]}"
    for kind in mail image; do same "$kind" "$(xargs <"$temporary/g126.$kind")" "$(seq 10 | xargs)"; done
}

# next_job prints the most urgent job there is, or waits for any.
next_job() {
    local priority
    for priority in 4 3 2 1 0; do goctl recv --try g127.$priority 2>/dev/null && return; done
    goctl select --recv g127.0 --recv g127.1 --recv g127.2 --recv g127.3 --recv g127.4 --recv g127.stop 2>/dev/null |
        cut -d' ' -f2 | grep .
}

test_G127_jobs_run_by_priority_then_arrival() {
    local worker priority job=0
    for priority in 0 1 2 3 4; do goctl make g127.$priority --cap 10; done
    goctl make g127.stop
    for priority in 2 0 4 1 4 3; do goctl send g127.$priority $((job += 1)); done
    (while job=$(next_job); do echo "$job"; done >"$temporary/g127") &
    worker=$!
    until_number g127.stop receivers 1
    goctl send g127.0 7
    until_number g127.0 length 0
    until_number g127.stop receivers 1
    goctl close g127.stop
    ended $worker 0
    same "order" "$(xargs <"$temporary/g127")" "3 5 6 1 4 2 7"
}

test_G136_a_pipeline_whose_queues_can_be_read() {
    local processes=() source
    for queue in raw parsed enriched; do goctl make g136.$queue --cap 10; done
    goctl make g136.gate
    for source in 0 1 2; do
        (seq 100 | sed "s/^/$source /" | goctl send --lines g136.raw) &
        processes+=($!)
    done
    (while line=$(goctl recv g136.raw 2>/dev/null); do goctl send g136.parsed "$line"; done && goctl close g136.parsed) &
    processes+=($!)
    (while line=$(goctl recv g136.parsed 2>/dev/null); do
        goctl send g136.enriched "${line% *} $((1000 * ${line% *} + ${line#* }))"
    done && goctl close g136.enriched) &
    processes+=($!)
    (goctl range g136.gate && goctl range g136.enriched >"$temporary/g136") &
    processes+=($!)
    until_number g136.enriched senders 1
    until_number g136.parsed senders 1
    until_number g136.raw sent 32
    for queue in raw parsed enriched; do same "depth of $queue" "$(number_of g136.$queue length)" 10; done
    same "waiting sources" "$(number_of g136.raw senders)" 3
    goctl close g136.gate
    each_ended 0 "${processes[@]:0:3}"
    goctl close g136.raw
    each_ended 0 "${processes[@]:3}"
    same "in, out, dropped" "$(number_of g136.raw sent) $(number_of g136.enriched received) $(number_of g136.raw dropped)" "300 300 0"
    same "sums" "$(awk '{ sum[$1] += $2 } END { print sum[0], sum[1], sum[2] }' "$temporary/g136")" "5050 105050 205050"
}

# stop_on_input CHANNEL closes it when a line comes, or the input ends.
stop_on_input() {
    read -r _
    goctl close "$1"
}

test_G143_workers_stop_on_a_line_or_the_end_of_the_input() {
    local workers n input
    for input in "stop, please" ""; do
        goctl make g143.stop
        workers=()
        for n in 1 2 3 4 5; do
            (goctl range g143.stop && echo "worker $n cancelled!") >"$temporary/g143.$n" &
            workers+=($!)
        done
        until_number g143.stop receivers 5
        if [ -n "$input" ]; then echo "$input" | stop_on_input g143.stop; else stop_on_input g143.stop </dev/null; fi
        each_ended 0 "${workers[@]}"
        same "lines" "$(cat "$temporary"/g143.? | sort)" "$(seq -f 'worker %g cancelled!' 5)"
        goctl rm g143.stop
    done
}

node_start
run_tests
