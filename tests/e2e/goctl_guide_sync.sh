#!/usr/bin/env bash
# Rows of tests/guide/ROWS.md in form C, about locks and their relatives: the clauses are quoted beside their checks.
. "$(dirname "$0")/lib.sh"

# until_file FILE waits for a command to have written something.
until_file() { until [ -s "$1" ]; do kill -0 "$daemon" || failed "the daemon is gone"; done; }

# read_map DIRECTORY is what a reader does: prints how many keys there are. write_map adds one. Each leaves the other's trace
# in the directory while it is inside.
read_map() {
    mkdir "$1/reader.$BASHPID" && [ ! -e "$1/writer" ] && wc -l <"$1/map" && rmdir "$1/reader.$BASHPID"
}
write_map() {
    mkdir "$1/writer" && [ -z "$(find "$1" -name 'reader.*')" ] && echo "key_$2=value_$2" >>"$1/map" && rmdir "$1/writer"
}
export -f read_map write_map

# reader DIRECTORY reads without a pause until both writers are done.
reader() {
    until [ -e "$1/written" ]; do goctl rwlock read g43 -- bash -c 'read_map "$0"' "$1" || echo failed; done
}
writer() {
    local n
    for n in $(seq "$2" "$3"); do goctl rwlock write g43 -- bash -c 'write_map "$0" "$1"' "$1" "$n" || return 1; done
}

test_G43_reader_writer_lock() {
    local map=$temporary/g43 readers=() writers=() n
    mkdir "$map"
    : >"$map/map"
    # "5 readers are inside at the same moment": each waits inside for the others
    for n in 1 2 3 4 5; do
        goctl rwlock read g43 -- "$GOCTL" barrier g43.inside 5 &
        readers+=($!)
    done
    each_ended 0 "${readers[@]}"
    readers=()
    for n in 1 2 3; do
        reader "$map" >"$temporary/g43.$n" &
        readers+=($!)
    done
    # "no writer starves: both finish while readers come without a pause"
    writer "$map" 0 24 &
    writers+=($!)
    writer "$map" 25 49 &
    writers+=($!)
    # "a writer is always alone: 0 readers, 1 writer": else it fails
    each_ended 0 "${writers[@]}"
    : >"$map/written"
    each_ended 0 "${readers[@]}"
    # "the final map is key_0 to key_49 with value_0 to value_49"
    same "map" "$(sort "$map/map")" "$(for n in $(seq 0 49); do echo "key_$n=value_$n"; done | sort)"
    # "the sizes that a reader sees never shrink"
    for n in 1 2 3; do
        until_file "$temporary/g43.$n"
        sort -nc "$temporary/g43.$n" || failed "reader $n: $(xargs <"$temporary/g43.$n")"
        grep -q failed "$temporary/g43.$n" && failed "reader $n met a writer"
    done
    return 0
}

test_G46_signal_and_broadcast() {
    local waiters=() n
    # "a signal that nobody waits for is not stored"
    expect 0 '{"condition":"g46","woken":0}' goctl cond signal g46 --json
    for n in 1 2 3 4 5; do
        # "wait returns with the lock held"
        # shellcheck disable=SC2016
        goctl cond wait g46 g46.lock -- sh -c '"$0" lock g46.lock --try -- true 2>/dev/null; echo "woken $?"' "$GOCTL" \
            >>"$temporary/g46" &
        waiters+=($!)
        until_waiting g46 "$n"
    done
    # "after a signal exactly 1 has woken"
    expect 0 '{"condition":"g46","woken":1}' goctl cond signal g46 --json
    ended "${waiters[0]}" 0
    same "woken" "$(cat "$temporary/g46")" "woken 8"
    same "wait" "$(goctl dump --object g46 --json | wc -l)" 4
    # "after a broadcast all 5"
    expect 0 "" goctl cond broadcast g46
    each_ended 0 "${waiters[@]:1}"
    same "woken" "$(sort "$temporary/g46" | uniq -c | xargs)" "5 woken 8"
}

# member STATUS GATE works for the group: it says how many do, waits for the gate, and ends with that status.
member() {
    # shellcheck disable=SC2016
    goctl errgroup run g52 --limit 2 -- sh -c '"$0" counter add g52.work >>"$3"; "$0" range "$2"
        "$0" counter add g52.work -- -1 >/dev/null; echo "ended $1" >>"$3.ended"; exit "$1"' "$GOCTL" "$1" "$2" "$temporary/g52"
}

test_G52_error_group() {
    local members=() n
    goctl make g52.gate
    goctl make g52.later
    for n in 0 0 3; do
        member $n g52.gate &
        members+=($!)
        # "with a limit of 2, 2 run at once and never 3"
        if [ ${#members[@]} -le 2 ]; then until_number g52.gate receivers ${#members[@]}; else until_waiting g52 1; fi
    done
    member 0 g52.later &
    members+=($!)
    until_waiting g52 2
    goctl errgroup wait g52 2>"$temporary/g52.why" &
    members+=($!)
    until_waiting g52 3
    goctl close g52.gate
    ended "${members[2]}" 3
    expect 5 "" member 5 g52.gate
    same "the wait" "$(goctl dump --object g52 --json | wc -l)" 1
    goctl close g52.later
    # "the wait returns after all 5 have ended"
    # "the first error, that of member 3, is the result"
    # "the exit status of the first that fails"
    ended "${members[4]}" 3
    each_ended 0 "${members[0]}" "${members[1]}" "${members[3]}"
    same "ended" "$(sort "$temporary/g52.ended" | uniq -c | xargs)" "3 ended 0 1 ended 3 1 ended 5"
    same "most at once" "$(sort -n "$temporary/g52" | tail -1)" 2
    # "when all succeed there is no error"
    goctl errgroup reset g52
    for n in 1 2 3 4 5; do expect 0 "" goctl errgroup run g52 --limit 2 -- true; done
    expect 0 "" goctl errgroup wait g52
}

# ask KEY STATUS asks the slow database, which counts, and answers when its gate opens.
ask() {
    goctl flight "$1" --json -- sh -c 'echo asked >>"$1"; "$0" range "$2.gate"; echo row; exit "$3"' "$GOCTL" "$temporary/$1" "$1" "$2"
}

# round KEY STATUS lets five ask at the same time.
round() {
    local callers=() n
    goctl make "$1.gate"
    for n in 1 2 3 4 5; do
        ask "$1" "$2" >"$temporary/$1.$n" &
        callers+=($!)
    done
    until_waiting "$1" 4
    until_number "$1.gate" receivers 1
    goctl close "$1.gate"
    each_ended "$2" "${callers[@]}"
    goctl rm "$1.gate"
    same "answers" "$(sort "$temporary/$1".[1-5] | uniq -c | sed 's/^ *//')" \
        "5 {\"flight\":\"$1\",\"shared\":true,\"status\":$2,\"output\":\"row\\n\"}"
}

test_G53_singleflight() {
    local old new
    # "all 5 have the same value, and are told that it is shared"
    round g53 0
    # "the function has run once"
    same "asked" "$(wc -l <"$temporary/g53")" 1
    # "the next call, after the end of the first, runs again"
    # "a failure reaches all"
    round g53 9
    same "asked" "$(wc -l <"$temporary/g53")" 2
    # "after a forget the next call is a flight of its own, while the old one still answers those who wait for it"
    goctl make g53.old
    goctl flight g53 -- sh -c '"$0" range g53.old; echo old' "$GOCTL" >"$temporary/g53.pilot" &
    old=$!
    until_number g53.old receivers 1
    goctl flight g53 -- echo never >"$temporary/g53.waits" &
    new=$!
    until_waiting g53 1
    goctl flight --reset g53
    expect 0 new goctl flight g53 -- echo new
    goctl close g53.old
    each_ended 0 $old $new
    same "the old one" "$(cat "$temporary/g53.pilot" "$temporary/g53.waits")" $'old\nold'
}

# both FIRST SECOND OPTION... takes two locks, and counts.
both() {
    local first=$1 second=$2
    shift 2
    goctl lock "$first" -- "$GOCTL" lock "$second" "$@" -- bash -c 'echo $(($(cat "$0") + 1)) >"$0"' "$temporary/g115"
}

# crossed OPTION... has two take two locks in two orders, each with its first; a third lock keeps them apart until then.
crossed() {
    local n
    goctl make g115.gate
    # shellcheck disable=SC2016
    "$GOCTL" lock g115.a -- sh -c '"$0" range g115.gate; exec "$0" lock g115.b "$@" -- true' "$GOCTL" "$@" 2>/dev/null &
    pair=($!)
    # shellcheck disable=SC2016
    "$GOCTL" lock g115.b -- sh -c '"$0" range g115.gate; exec "$0" lock g115.a -- true' "$GOCTL" 2>/dev/null &
    pair+=($!)
    until_number g115.gate receivers 2
    goctl close g115.gate
    goctl rm g115.gate
}

test_G115_lock_order() {
    local pair=() rounds=() n report
    # "two orders: the report shows the circle, with the last locker of each mutex"
    crossed
    until_waiting g115.a 1
    until_waiting g115.b 1
    report=$(goctl deadlocks --age 1ns --json | grep g115)
    for n in a b; do
        grep -qE "\"verb\":\"lock\",.*\"object\":\"g115.$n\".*\"holder\":[1-9]" <<<"$report" || failed "$report"
    done
    same "holders" "$(grep -oE '"holder":[0-9]+' <<<"$report" | sort -u | wc -l)" 2
    kill "${pair[0]}" # the other has what it gives back
    ended "${pair[0]}" 143
    ended "${pair[1]}" 0
    # "a lock with a timeout gives it back, and lets the other finish"
    crossed --timeout 50ms
    ended "${pair[0]}" 3
    ended "${pair[1]}" 0
    # "one order: both do their 50 rounds"
    echo 0 >"$temporary/g115"
    for n in 1 2; do
        (for _ in $(seq 50); do both g115.a g115.b || exit 1; done) &
        rounds+=($!)
    done
    each_ended 0 "${rounds[@]}"
    same "rounds" "$(cat "$temporary/g115")" 100
}

node_start
run_tests
