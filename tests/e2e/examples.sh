#!/usr/bin/env bash
# The short example programs do what their first comment says.
. "$(dirname "$0")/lib.sh"

test_hello_greets() {
    expect 0 "Hello, World!" goctl submit "$EXAMPLES/hello.so:hello" World --wait
}

test_squares_range_over_a_channel_between_two_processes() {
    local producer
    "$EXAMPLES/squares" produce &
    producer=$!
    expect 0 $'1\n4\n9\n16\n25' "$EXAMPLES/squares" consume
    ended $producer 0
    refuse 5 "squares" goctl info squares
}

test_squares_consume_may_be_first() {
    local consumer
    "$EXAMPLES/squares" consume >"$temporary/squares" &
    consumer=$!
    "$EXAMPLES/squares" produce
    ended $consumer 0
    same "squares" "$(xargs <"$temporary/squares")" "1 4 9 16 25"
}

test_timeout_prints_what_comes_first() {
    expect 0 "nothing for a second" "$EXAMPLES/timeout"
    goctl send errors "no disk"
    expect 0 "errors: no disk" "$EXAMPLES/timeout"
    goctl send results 42
    expect 0 "results: 42" "$EXAMPLES/timeout"
    goctl rm results errors
}

test_events_serves_standard_input_and_channels_in_one_loop() {
    local events
    goctl make news --cap 1
    goctl make lines
    mkfifo "$temporary/in"
    "$EXAMPLES/events" <"$temporary/in" >"$temporary/events" &
    events=$!
    exec 5>"$temporary/in"
    goctl send news one
    printf 'two\nthree' >&5
    expect 0 "two" goctl recv lines
    goctl send news four
    exec 5>&-
    expect 0 "three" goctl recv lines
    goctl close news
    ended $events 0
    same "news" "$(xargs <"$temporary/events")" "one four"
    goctl rm news lines
}

test_worker_that_dies_over_a_task_leaves_it_to_the_next() {
    local worker
    goctl make tasks --cap 16
    goctl make done --cap 16
    seq 16 | goctl send done --lines # no room: the worker waits with its task in hand
    goctl send tasks a
    "$EXAMPLES/worker" &
    worker=$!
    until_number done senders 1
    kill -KILL $worker
    ended $worker 137
    until_number tasks returned 1
    same "fillers" "$(goctl recv done -n 16 | wc -l)" 16
    goctl close tasks
    expect 0 "" "$EXAMPLES/worker"
    expect 0 "did a (perhaps again)" goctl recv done
    goctl rm tasks done
}

test_the_client_in_python_prints_what_comes_until_the_close() {
    local client
    [ -n "${ZMQ_PYTHON-}" ] || return 0 # its packages are not installed
    goctl make lines.python
    "$ZMQ_PYTHON" "$CLIENT_PY" lines.python >"$temporary/python" &
    client=$!
    printf 'one\ntwo\n' | goctl send lines.python --lines
    goctl close lines.python
    ended $client 0
    same "lines" "$(xargs <"$temporary/python")" "one two"
    goctl rm lines.python
}

test_wordcount_sends_its_counts_on_a_channel() {
    goctl make counts --cap 1
    printf 'b a\nB' >"$temporary/text"
    expect 0 "3 words, 1 lines, 5 bytes" goctl submit "$EXAMPLES/wordcount.so:count" "$temporary/text" 7 counts errors --wait
    same "counts" "$(goctl recv counts | sed '1s/^\. 7 [0-9]* 0 1 5$/good header/' | sort | xargs)" "1 a 2 b good header"
}

test_wordcount_sends_its_error_on_a_channel() {
    goctl make counts.errors --cap 1
    expect 9 "" goctl submit "$EXAMPLES/wordcount.so:count" /no/such/file 7 counts counts.errors --retries 1 --wait
    expect 0 "7 /no/such/file: No such file or directory" goctl recv counts.errors
}

test_wordcount_stops_sending_when_it_is_cancelled() {
    local id
    goctl make counts.held
    echo "a word" >"$temporary/held"
    id=$(goctl submit "$EXAMPLES/wordcount.so:count" "$temporary/held" 7 counts.held counts.held)
    until_number counts.held senders 1
    goctl cancel "$id"
    expect 6 "" goctl wait "$id"
    same "senders" "$(number_of counts.held senders)" 0
}

test_wordstat_says_what_it_could_not_submit() {
    mkdir "$temporary/folder"
    echo "a word" >"$temporary/folder/file"
    refuse 1 "cannot submit $temporary/folder/file" eval "$EXAMPLES/wordstat --plugin $temporary/none.so $temporary/folder >/dev/null"
    refuse 1 "$temporary/none" "$EXAMPLES/wordstat" "$temporary/none"
}

node_start
run_tests
