#!/usr/bin/env bash
# Rows of tests/guide/ROWS.md in form C, about pools and pipelines: the clauses are quoted beside their checks.
. "$(dirname "$0")/lib.sh"
trial=$PLUGINS/trial.so rows=$PLUGINS/rows.so

test_G27_directions() {
    local consumer id
    goctl make g27
    goctl make g27.answer
    # "it is EPERM, without effect"
    id=$(goctl submit "$rows:trespass" g27)
    expect 0 $'send: EPERM\nclose: EPERM' goctl wait "$id"
    same "sent" "$(number_of g27 sent) $(goctl info g27 --json | grep -c '"closed":false')" "0 1"
    # "consumed 1 to 5, and 42"
    (goctl range g27 | sed 's/^/Consumed: /'; goctl recv g27.answer) >"$temporary/g27" &
    consumer=$!
    seq 5 | goctl send --lines g27
    goctl close g27
    goctl send g27.answer 42
    ended "$consumer" 0
    same "consumed" "$(cat "$temporary/g27")" $'Consumed: 1\nConsumed: 2\nConsumed: 3\nConsumed: 4\nConsumed: 5\n42'
}

# work_under CONTEXT needs a turn for every task; without one the result of a task is why the context has ended.
work_under() {
    local task why
    while task=$(goctl recv "$1.tasks" 2>/dev/null); do
        if why=$(goctl recv "$1.turns" --ctx "$1" 2>&1); then why=$((10 * task)); fi
        goctl send "$1.results" "${why##*: }"
    done
}

# pool_of NAME starts three workers under a context with a timeout that nobody waits for, and submits ten tasks.
pool_of() {
    goctl ctx new "$1" --timeout 1h
    goctl make "$1.tasks" --cap 10
    goctl make "$1.turns" --cap 10
    goctl make "$1.results" --cap 10
    seq 10 | goctl send --lines "$1.tasks" --ctx "$1"
    workers=()
    for _ in 1 2 3; do
        work_under "$1" &
        workers+=($!)
    done
}

test_G74_pool_under_a_context() {
    local workers
    # "10 results, 10 to 100"
    # "and the end, without waiting for the timeout"
    pool_of g74.normal
    goctl close g74.normal.tasks
    for _ in $(seq 10); do echo go; done | goctl send --lines g74.normal.turns
    each_ended 0 "${workers[@]}"
    goctl close g74.normal.results
    same "results" "$(goctl range g74.normal.results | sort -n | xargs)" "$(seq 10 10 100 | xargs)"
    # "cancelled: every task that was accepted has exactly one result, its own or the error of the context"
    pool_of g74.cancelled
    for _ in 1 2 3 4; do echo go; done | goctl send --lines g74.cancelled.turns
    until_number g74.cancelled.results length 4
    goctl ctx cancel g74.cancelled
    # "a submit afterwards returns an error"
    refuse 6 "context canceled" goctl send g74.cancelled.tasks 11 --ctx g74.cancelled
    goctl close g74.cancelled.tasks
    each_ended 0 "${workers[@]}"
    goctl close g74.cancelled.results
    goctl range g74.cancelled.results >"$temporary/g74"
    same "results" "$(grep -cxE '[0-9]+0' "$temporary/g74") $(grep -cx "context canceled" "$temporary/g74")" "4 6"
    same "each once" "$(sort "$temporary/g74" | uniq -d)" "context canceled"
}

# resizable FILE works while there are tasks and it has one of the tokens; tasks 11 to 14 are held, so that all are in use.
resizable() {
    local token task
    while token=$(goctl recv g76.tokens 2>/dev/null) && task=$(goctl recv g76.tasks 2>/dev/null); do
        echo "begin $task" >>"$temporary/g76"
        if [ "$task" -gt 10 ] && [ "$task" -le 14 ]; then goctl range g76.gate; fi
        echo "end $task" >>"$temporary/g76"
        goctl send g76.results "$task"
        goctl send g76.tokens "$token" 2>/dev/null || break
    done
}

test_G76_number_of_workers_changes() {
    local parts=() n
    : >"$temporary/g76"
    goctl make g76.tokens --cap 4
    goctl make g76.tasks
    goctl make g76.results --cap 100
    goctl make g76.gate
    (seq 100 | goctl send --lines g76.tasks && goctl close g76.tasks) &
    parts+=($!)
    for n in 1 2 3 4; do
        resizable &
        parts+=($!)
    done
    goctl send g76.tokens token
    expect 0 "$(seq 10)" goctl recv g76.results -n 10
    echo "size 4" >>"$temporary/g76"
    for n in 1 2 3; do goctl send g76.tokens token; done
    until_number g76.gate receivers 4
    for n in 1 2; do
        goctl recv g76.tokens >>"$temporary/g76.taken" & # one less, whenever somebody gives his back
        parts+=($!)
    done
    until_number g76.tokens receivers 2
    echo "size 2" >>"$temporary/g76"
    goctl close g76.gate
    # "100 results"
    goctl recv g76.results -n 90 >"$temporary/g76.results"
    goctl close g76.tokens
    for n in "${parts[@]}"; do wait "$n"; done
    # "no task is lost, none is done twice"
    same "results" "$(sort -n "$temporary/g76.results" | xargs)" "$(seq 11 100 | xargs)"
    # "tasks at work are never more than the size: 1, then 4"
    # "after shrinking to 2 those at work finish, and nothing begins until fewer than 2 are at work"
    awk 'BEGIN { size = 1 } $1 == "size" { size = $2 } $1 == "end" { work-- }
        $1 == "begin" && ++work > size { exit bad = 1 } END { exit bad || work }' "$temporary/g76" || failed "$(cat "$temporary/g76")"
}

# channels_of PREFIX sends three channels by their names, which are filled and closed, and then the end.
channels_of() {
    local n
    for n in 1 2 3; do goctl make "$1.$n" --cap 3; done
    goctl send "$1.1" 1 2
    goctl send "$1.2" 3
    goctl send "$1.3" 4 5 6
    goctl close "$1.1" "$1.2" "$1.3"
    goctl make "$1" --cap 3
    goctl send "$1" "$1.1" "$1.2" "$1.3"
    goctl close "$1"
}

# merge reads from all channels at once.
merge() {
    local name inputs=()
    while read -r name; do
        goctl range "$name" &
        inputs+=($!)
    done
    each_ended 0 "${inputs[@]}"
}

test_G94_channel_of_channels() {
    channels_of g94.bridge
    channels_of g94.merge
    # "bridge of [1, 2], [3], [4, 5, 6]: exactly 1, 2, 3, 4, 5, 6"
    same "bridge" "$(goctl range g94.bridge | while read -r name; do goctl range "$name" </dev/null; done | xargs)" "1 2 3 4 5 6"
    # "merge of the three: the set {1, 2, 3, 4, 5, 6}"
    goctl range g94.merge >"$temporary/g94"
    same "merge" "$(merge <"$temporary/g94" | sort | xargs)" "1 2 3 4 5 6"
}

# perform_task CHANNEL LIMIT is a task of its own, which ends when a value comes, and whose result nobody has to wait for.
perform_task() {
    local id
    id=$(goctl submit "$trial:receive" "$1")
    echo "$id" >>"$temporary/g108"
    goctl wait "$id" --timeout "$2" 2>/dev/null || echo "task timed out after $2"
}

# goroutines_of PLUGIN counts those in its host.
goroutines_of() { goctl dump --goroutines --json | grep "$1" | grep -oE 'goroutine [0-9]+' | wc -l; }

test_G108_timeout_without_a_leak() {
    local before id late=()
    goctl make g108.ready --cap 4
    goctl make g108.late
    goctl send g108.ready result result result result
    expect 0 result perform_task g108.ready 1h
    until [ "$(goctl jobs --state running --json | wc -l)" = 0 ]; do :; done
    before=$(goroutines_of trial.so)
    # "in time: the result"
    for _ in 1 2 3; do expect 0 result perform_task g108.ready 1h; done
    # "late: "task timed out after 1s""
    for _ in 1 2; do expect 0 "task timed out after 1s" perform_task g108.late 1s; done
    until_number g108.late receivers 2
    same "still at work" "$(goctl jobs --state running --json | wc -l)" 2
    # "when the late ones have ended, too, the count of goroutines is as at the start"
    goctl send g108.late result result
    for id in $(tail -2 "$temporary/g108"); do expect 0 result goctl wait "$id"; done
    until [ "$(goroutines_of trial.so)" = "$before" ]; do kill -0 "$daemon" || failed "the daemon is gone"; done
}

# deal JOB WORKER:WEIGHT... says who gets a job: everybody gains his weight, and who has most pays for all.
deal() {
    local who best='' all=0
    for who in "$@"; do
        all=$((all + ${who#*:}))
        credit[${who%:*}]=$((credit[${who%:*}] + ${who#*:}))
        if [ -z "$best" ] || [ "${credit[${who%:*}]}" -gt "${credit[best]}" ]; then best=${who%:*}; fi
    done
    credit[best]=$((credit[best] - all))
    worker=$best
}

test_G123_weighted_balancer() {
    local credit=(0 0 0) worker workers=() n waits
    for n in 0 1 2; do goctl make g123.$n --cap 6; done
    for n in $(seq 12); do
        deal 0:3 1:2 2:1
        goctl send --try g123."$worker" first
    done
    # "of 12 jobs the workers do 6, 4 and 2"
    same "dealt" "$(for n in 0 1 2; do number_of g123.$n length; done | xargs)" "6 4 2"
    goctl send --try g123.1 filling filling
    goctl send --try g123.2 filling filling filling filling
    # "when all queues are full a submit that may not wait says so"
    refuse 8 "would have to wait" goctl select --try --send g123.0=extra --send g123.1=extra --send g123.2=extra
    # "another one waits until there is room"
    goctl select --send g123.0=extra --send g123.1=extra --send g123.2=extra >"$temporary/g123" &
    waits=$!
    until_number g123.2 senders 1
    for n in 0 1 2; do
        goctl range g123.$n >"$temporary/g123.$n" &
        workers+=($!)
    done
    ended $waits 0
    credit=(0 0 0)
    for n in $(seq 12); do
        deal 1:2 2:1
        goctl send g123."$worker" second
    done
    goctl close g123.0 g123.1 g123.2
    each_ended 0 "${workers[@]}"
    # "a worker that is down gets none, the others share its jobs by their weights: 0, 8 and 4"
    same "second" "$(grep -c second "$temporary"/g123.? | sed 's/.*://' | xargs)" "0 8 4"
    # "no job that was accepted is lost"
    same "all" "$(cat "$temporary"/g123.? | wc -l)" $((18 + 1 + 12))
}

# room passes on what its members say: "join N", "leave N", or "say TEXT". A leave ends what N hears.
room() {
    local what text members=" " n
    while read -r what text; do
        case $what in
        join) members="$members$text " ;;
        leave)
            members=${members/ $text / }
            goctl close "g138.hears.$text"
            ;;
        *) for n in $members; do goctl send "g138.hears.$n" "$text" </dev/null; done ;;
        esac
    done
}

# speak ROUND has three members say five lines each.
speak() {
    local members=() n
    for n in 0 1 2; do
        (for line in 1 2 3 4 5; do goctl send g138 "say $line of $n in round $1"; done) &
        members+=($!)
    done
    each_ended 0 "${members[@]}"
}

test_G138_chat_room() {
    local parts=() n
    goctl make g138
    for n in 0 1 2 3; do
        goctl make g138.hears.$n
        goctl range g138.hears.$n >"$temporary/g138.$n" &
        parts+=($!)
    done
    (goctl range g138 | room) &
    parts+=($!)
    for n in 0 1 2; do goctl send g138 "join $n"; done
    speak 1
    goctl send g138 "leave 0"
    goctl send g138 "join 3"
    speak 2
    for n in 1 2 3; do goctl send g138 "leave $n"; done
    goctl close g138
    each_ended 0 "${parts[@]}"
    # "all 3 logs hold the same 15 lines in the same order"
    same "first" "$(wc -l <"$temporary/g138.0")" 15
    same "second" "$(head -15 "$temporary/g138.1")" "$(cat "$temporary/g138.0")"
    same "third" "$(cat "$temporary/g138.2")" "$(cat "$temporary/g138.1")"
    # "who joins late sees only what is said later: 15 of 30 lines"
    same "late" "$(cat "$temporary/g138.3")" "$(tail -15 "$temporary/g138.1")"
    # "one that leaves hears nothing more, and does not disturb the others"
    same "lines" "$(wc -l <"$temporary/g138.0") $(wc -l <"$temporary/g138.1")" "15 30"
}

# stalled NAME OPTION... subscribes to a topic and prints its first message, "begin", into a pipe of which nobody reads.
stalled() {
    "$GOCTL" sub "$@" --ack >"$temporary/g96.pipe" 2>"$temporary/g96.errors" &
    subscriber=$!
    until_subscribed "$1" 1
    goctl pub "$1" begin
    until read -r -t 0 -u 3; do kill -0 "$subscriber" || failed "the subscriber is gone"; done
}

test_G96_publish_and_subscribe() {
    local readers=() name n subscriber publisher line
    for name in News.Ann News.Bob Sports.Eve; do
        "$GOCTL" sub "g96.${name%.*}" >"$temporary/g96.${name#*.}" &
        readers+=($!)
    done
    until_subscribed g96.News 2
    until_subscribed g96.Sports 1
    for n in 1 2 3 4 5; do
        for name in News Sports Weather; do goctl pub "g96.$name" "$name update $n"; done
    done
    goctl topic close g96.News g96.Sports
    # "the close ends each one's range"
    each_ended 0 "${readers[@]}"
    # "each subscriber gets exactly its 5 messages in order, and none of another topic"
    for name in News.Ann News.Bob Sports.Eve; do
        same "$name" "$(cat "$temporary/g96.${name#*.}")" "$(for n in 1 2 3 4 5; do echo "${name%.*} update $n"; done)"
    done
    mkfifo "$temporary/g96.pipe"
    exec 3<>"$temporary/g96.pipe"
    stalled g96.Quiet --policy drop-newest --capacity 1
    # "policy drop, capacity 1, stalled: 1 received, 4 counted as dropped"
    expect 0 '{"topic":"g96.Quiet","published":5,"receivers":1,"dropped":4,"repeated":0,"sequence":0}' \
        goctl pub g96.Quiet 1 2 3 4 5 --json
    goctl topic close g96.Quiet
    for n in begin 1; do read -r -u 3 line && same "received" "$line" "$n"; done
    ended "$subscriber" 0
    grep -q "^goctl: 4 messages behind the last one were lost" "$temporary/g96.errors" || failed "$(cat "$temporary/g96.errors")"
    stalled g96.Slow --policy block --block 1m --capacity 1
    (for n in 1 2 3 4 5; do goctl pub g96.Slow $n && echo $n; done) >"$temporary/g96.published" &
    publisher=$!
    until goctl dump --json | grep -q '"verb":"publish"'; do kill -0 "$publisher" || failed "the publisher is gone"; done
    # "policy wait, capacity 1, stalled: the publisher waits after 1"
    same "published" "$(cat "$temporary/g96.published")" 1
    kill -TERM "$subscriber"
    ended "$subscriber" 143
    # "who has unsubscribed holds up nobody"
    ended "$publisher" 0
    same "published" "$(xargs <"$temporary/g96.published")" "1 2 3 4 5"
    exec 3>&-
}

now_ns() { date +%s%N; }

# measure NAME N WORKERS prints how long N operations take, each a job and its result; the preparation is not counted.
measure() {
    local workers=() n begun ns
    goctl make "$1.jobs"
    goctl make "$1.results"
    for n in $(seq "$3"); do
        (goctl range "$1.jobs" | goctl send --lines "$1.results") &
        workers+=($!)
    done
    until_number "$1.jobs" receivers "$3"
    begun=$(now_ns)
    (seq "$2" | goctl send --lines "$1.jobs" && goctl close "$1.jobs") &
    workers+=($!)
    goctl recv "$1.results" -n "$2" >"$temporary/$1"
    ns=$(($(now_ns) - begun))
    each_ended 0 "${workers[@]}"
    # "N operations over the daemon, and the same three figures": exactly N results, with 1 worker and with 4
    same "results" "$(sort -n "$temporary/$1" | xargs)" "$(seq "$2" | xargs)"
    echo "$3 workers: $2 operations, $((ns / $2)) ns each"
}

test_G167_benchmark_helper() {
    measure g167.one 100 1 >"$temporary/g167"
    measure g167.four 400 4 >>"$temporary/g167"
    same "lines" "$(sed -E 's/[1-9][0-9]* ns/N ns/' "$temporary/g167")" $'1 workers: 100 operations, N ns each\n4 workers: 400 operations, N ns each'
}

# ops prints how many operations have come to the daemon.
ops() { goctl stats ops.arrived --json | grep -oE '[0-9]+'; }

test_G170_batching() {
    local before singly grouped began=$SECONDS
    goctl make g170 --cap 20000
    seq 10000 >"$temporary/g170.items"
    # "10,000 operations one by one, 100 in groups"
    before=$(ops)
    goctl send g170 --lines --batch 1 <"$temporary/g170.items"
    singly=$(($(ops) - before))
    before=$(ops)
    goctl send g170 --lines --batch 100 <"$temporary/g170.items"
    grouped=$(($(ops) - before))
    # "remote frames are never more": an operation is one frame at least
    # what commands do at their beginning and end may fall on either side, and who hears nothing for a second asks
    grouped=$((singly - grouped - 9900))
    [ "${grouped#-}" -le $((5 + SECONDS - began)) ] || failed "saved: 9900 and $grouped operations"
    goctl close g170
    # "the same 10,000 items in order both times"
    goctl range g170 >"$temporary/g170"
    cat "$temporary/g170.items" "$temporary/g170.items" | cmp - "$temporary/g170"
}

node_start
run_tests
