#!/usr/bin/env bash
# The commands that look into running jobs; and rows of tests/guide/ROWS.md in form C that need them: the number of the row is
# in the name. A job of plugins/watched.c does as it is told, so that it is known what there is to see.
. "$(dirname "$0")/lib.sh"
trial=$PLUGINS/trial.so

# watched NAME starts such a job: its number in $id. tell ORDER... gives it orders, and waits until each was obeyed.
watched() {
    orders=$1
    goctl make "$orders"
    goctl make "$orders.done"
    id=$(goctl submit "$PLUGINS/watched.so:obey" "$orders" --retries 1) || failed "no job"
    until_number "$orders" receivers 1
}

tell() {
    local order
    for order in "$@"; do
        goctl send "$orders" "$order"
        same "obeyed" "$(goctl recv "$orders.done" --timeout 60s)" "$order"
    done
}

dismiss() {
    goctl close "$orders"
    goctl wait "$id" || failed "$(goctl job "$id")"
    goctl rm "$orders" "$orders.done"
}

# figure NAME prints one of the job's.
figure() { goctl stats --job "$id" --json | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

# total sums the numbers behind folded lines.
total() { awk '{ sum += $NF } END { print sum + 0 }'; }

test_G145_figures_of_a_job_and_of_the_daemon() {
    local id orders total before
    watched g145
    # goroutines before, while and after 1000 are held: 1, 1001, 1, those of the runtime itself not counted
    same "before" "$(figure goroutines)" 1
    before=$(figure memory.total)
    tell "receivers 1000"
    same "while they are held" "$(figure goroutines)" 1001
    # memory: the total never falls; what was taken from the system is never less than what is in use
    [ "$(figure memory.total)" -ge "$before" ] || failed "the total fell"
    [ "$(figure memory.from_system)" -ge "$(figure memory.in_use)" ] || failed "$(goctl stats --job "$id")"
    before=$(figure memory.total)
    tell release
    same "after" "$(figure goroutines)" 1
    [ "$(figure memory.total)" -ge "$before" ] || failed "the total fell"
    # the keys of its JSON are fixed
    same "keys" "$(goctl stats --job "$id" --json | tr ',' '\n' | sed 's/[{]*"\([^"]*\)":.*/\1/' | xargs)" \
        "goroutines host.goroutines host.parked host.procs host.spawned host.ended host.switches host.parks host.timers_fired host.resident host.memory_max memory.in_use memory.from_system memory.total stacks stacks.bytes stacks.resident allocations allocations.freed"
    # the same figures of a job and of the daemon, as JSON
    goctl stats --json | grep -q '"jobs.running":1,' || failed "$(goctl stats)"
    dismiss
}

test_G147_a_monitor_counts_and_warns() {
    local id orders monitor
    watched g147
    tell "receivers 11"
    mkfifo "$temporary/g147"
    # 12 while 10 workers are held, main and the monitor among them; here the monitor is outside, and 11 are held
    goctl monitor "$id" --most 11 --every 1ms >"$temporary/g147" &
    monitor=$!
    exec 5<"$temporary/g147"
    read -r line <&5
    same "first" "$line" "12 goroutines"
    # growth over a set limit of 11 is warned of in one line
    read -r line <&5
    same "warning" "$line" "warning: 12 goroutines, 11 are expected at most"
    tell release
    until read -r line <&5 && [ "$line" = "1 goroutines" ]; do
        case $line in warning*) failed "warned again: $line" ;; esac
    done
    # 2 after them, 1 after the monitor was told to quit
    expect 0 "1 goroutines" goctl monitor "$id" -n 1
    dismiss
    ended $monitor 0
    exec 5<&-
}

test_G148_stacks_of_a_job() {
    local id orders text
    watched g148
    tell "receivers 5"
    text=$(goctl stacks "$id")
    # the dump of main and 5 that wait has exactly 6 entries
    same "entries" "$(grep -c '^goroutine ' <<<"$text")" 6
    # each has id, state, what it waits for and since when, function, and where it was started
    same "those that wait" "$(grep -cE '^goroutine [0-9]+ \[parked: chan receive, [0-9.]+ s\] ' <<<"$text")" 5
    same "places" "$(grep -cE '^  started at .*plugins/watched.c:[0-9]+' <<<"$text")" 5
    # below it is its stack
    same "stacks" "$(grep -c '^    wait_to_receive+0x' <<<"$text")" 5
    goctl stacks "$id" --json | grep -qE '^\{"job":'"$id"',"host":[0-9]+,"pid":[0-9]+,.*"goroutines":"goroutine ' ||
        failed "$(goctl stacks "$id" --json)"
    tell release "receivers 1999"
    # of 2,000 goroutines all are listed
    same "entries" "$(goctl stacks "$id" | grep -c '^goroutine ')" 2000
    dismiss
}

test_G149_a_profile_of_goroutines() {
    local id orders text
    watched g149
    tell "receivers 100" "senders 7"
    text=$(goctl profile goroutines "$id")
    # 100 goroutines stand at one place, 7 at another, and main at its own
    same "places" "$(wc -l <<<"$text")" 3
    grep -q 'wait_to_receive;go_chan_recv 100$' <<<"$text" || failed "$text"
    grep -q 'wait_to_send;go_chan_send 7$' <<<"$text" || failed "$text"
    # together they are as many as there are goroutines: 108
    same "total" "$(total <<<"$text") $(figure goroutines)" "108 108"
    dismiss
}

test_G150_where_the_time_of_a_job_goes() {
    local id orders all hot cold
    watched g150
    tell burn
    # the hot function holds most samples, below the function of its goroutine
    until goctl profile cpu "$id" --rate 1000 --for 300ms -o "$temporary/g150" &&
        all=$(grep 'burn;' "$temporary/g150" | total) && [ "$all" -ge 200 ]; do until_state "$id" running; done
    hot=$(grep 'burn;hot ' "$temporary/g150" | total)
    cold=$(grep 'burn;cold ' "$temporary/g150" | total)
    [ "$hot" -gt $((all / 2)) ] && [ "$cold" -lt "$hot" ] || failed "$(cat "$temporary/g150")"
    tell release
    # the allocation profile has exactly 20 of one place and 5 of another
    expect 0 "" goctl profile alloc "$id" --start
    tell allocate
    goctl profile alloc "$id" --stop >"$temporary/g150"
    same "here" "$(grep ';allocate_here' "$temporary/g150" | total)" 20
    same "there" "$(grep ';allocate_there' "$temporary/g150" | total)" 5
    same "all" "$(total <"$temporary/g150")" 25
    dismiss
}

# counts of samples in profile.proto: see tests/guide/g151_folded_metrics.c. Prints their sum.
samples_of() {
    python3 - "$1" <<'PYTHON'
import sys


def fields(data):
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        value = varint()
        if key & 7 == 2:
            yield key >> 3, data[at:at + value]
            at += value
        else:
            yield key >> 3, value


def first(values):
    value = shift = 0
    for byte in values:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value
    return 0


total = 0
for number, sample in fields(open(sys.argv[1], "rb").read()):
    if number == 2:
        counts = [value for field, value in fields(sample) if field == 2]
        total += first(counts[0]) if isinstance(counts[0], bytes) else counts[0]
print(total)
PYTHON
}

test_G151_folded_stacks_and_a_page_of_metrics() {
    local id orders
    watched g151
    tell "receivers 5" "senders 3"
    # the folded lines sum to the samples of the same profile in its binary form
    goctl profile goroutines "$id" --pprof -o "$temporary/g151"
    same "samples" "$(goctl profile goroutines "$id" | total) $(samples_of "$temporary/g151")" "9 9"
    # the page of metrics parses, and its gauge of goroutines is their number
    goctl metrics "$id" >"$temporary/g151"
    same "lines that are none" "$(grep -vcE '^# TYPE [a-z_]+ (gauge|untyped)$|^[a-z_]+(\{job="[0-9]+"\})? [0-9]+$' "$temporary/g151")" 0
    same "gauge" "$(sed -n 's/^goroutined_job_goroutines{job="'"$id"'"} //p' "$temporary/g151")" 9
    # the same of a job, and of the daemon
    grep -qx 'goroutined_jobs_running 1' "$temporary/g151" || failed "$(cat "$temporary/g151")"
    dismiss
}

test_G152_a_trace_of_a_job() {
    local id orders
    watched g152
    expect 0 "" goctl trace "$id" --start
    refuse 10 "it has begun already" goctl trace "$id" --start
    tell chain
    expect 0 "" goctl trace "$id" --stop -o "$temporary/g152"
    refuse 5 "it had not begun" goctl trace "$id" --stop
    # the file is in the public format of Chrome's trace viewer; it has 3 creates and 3 ends; and 10 links from a send to its
    # receive; every wait ends with who woke it
    python3 - "$temporary/g152" <<'PYTHON' || failed "$(head -c 4000 "$temporary/g152")"
import json
import sys

events = json.load(open(sys.argv[1]))["traceEvents"]
names = [event.get("name", "") for event in events]
assert names.count("create") == 3 and names.count("end") == 3, (names.count("create"), names.count("end"))
links = [event["ph"] for event in events]
assert links.count("s") == 10 and links.count("f") == 10, (links.count("s"), links.count("f"))
waits = [event["args"] for event in events if event.get("name", "").startswith("blocked: chan")]
assert waits and all("woken_by" in args or args.get("open") for args in waits), waits
PYTHON
    dismiss
}

test_G155_processors_are_got_and_set() {
    local id orders before
    watched g155
    before=$(goctl procs "$id")
    [ "$before" -ge 1 ] || failed "$before"
    # get and set answer the same numbers; set returns the old number; a number below 1 only asks
    expect 0 "$before" goctl procs "$id" --set 3
    expect 0 3 goctl procs "$id" --set 5
    expect 0 5 goctl procs "$id" --set 0
    expect 0 5 goctl procs "$id"
    same "figure" "$(figure host.procs)" 5
    expect 0 5 goctl procs "$id" --set "$before"
    dismiss
}

test_G141_a_drain_lets_running_jobs_finish() {
    local running ready drain
    node_of_its_own
    goctl make g141
    running=$(goctl submit "$trial:receive" g141)
    until_number g141 receivers 1
    goctl drain >"$node/drain" &
    drain=$!
    # drain lets running jobs finish, refuses new ones and keeps those that are ready
    until ! goctl submit "$trial:echo" refused 2>"$node/refused" >"$node/taken"; do goctl job "$(cat "$node/taken")" >"$node/ready"; done
    grep -q "drained and takes no job" "$node/refused" || failed "$(cat "$node/refused")"
    same "running" "$(state_of "$running")" running
    goctl send g141 finished
    ended $drain 0
    expect 0 finished goctl wait "$running"
    # the lines are "Received signal", "shutting down", one of each worker, "stopped gracefully", "Server stopped"
    same "last" "$(cat "$node/drain")" "stopped gracefully: no job runs"
    expect 0 "jobs are started again" goctl drain --end
    expect 0 again goctl submit "$trial:echo" again --wait
    ready=$(goctl submit "$trial:echo" kept --in 1h)
    goctl drain >"$node/drain"
    same "kept" "$(state_of "$ready")" scheduled
}

# on INT and on TERM the daemon itself drains: its running jobs finish, and its exit status is 0; nothing comes after that
test_G141_the_daemon_stops_on_INT_and_on_TERM() {
    local signal id status
    for signal in INT TERM; do
        (
            node_of_its_own
            goctl make g141
            id=$(goctl submit "$trial:receive" g141)
            until_number g141 receivers 1
            kill -$signal "$daemon"
            until grep -q "event=drain " "$node/daemon.log"; do kill -0 "$daemon" || failed "it did not drain"; done
            goctl send g141 finished
            ended "$daemon" 0
            grep -q 'event=drain_over' "$node/daemon.log" && failed "$(tail -5 "$node/daemon.log")"
            daemon=
            node_start
            expect 0 finished goctl wait "$id"
        ) || failed "$signal"
    done
}

test_G142_a_drain_that_takes_too_long_is_forced() {
    local stuck
    node_of_its_own
    goctl make g142
    stuck=$(goctl submit "$trial:receive" g142)
    until_number g142 receivers 1
    # one ignores it: "Shutdown timeout, forcing exit" at 5 s, and the exit status is not 0: here after less
    goctl drain --timeout 50ms >"$node/drain"
    same "status" $? 3
    same "last" "$(tail -1 "$node/drain")" "Shutdown timeout, forcing exit"
    # the stuck goroutine is named with its stack
    grep -q "^job $stuck (receive) still runs:" "$node/drain" || failed "$(cat "$node/drain")"
    grep -q "    gc_recv+0x" "$node/drain" || failed "$(cat "$node/drain")"
    # its host is killed: the job is ready again, without an attempt
    same "state" "$(state_of "$stuck")" ready
    same "hosts that crashed" "$(goctl stats hosts.crashed | awk '{ print $2 }')" 0
    # when all look at the context the server stops at once
    expect 0 "stopped gracefully: no job runs" goctl drain --timeout 60s
    goctl drain --end
    until_number g142 receivers 1
    # a second signal forces the exit at once
    expect 0 "stopped gracefully: no job runs" goctl drain --force
    same "state" "$(state_of "$stuck")" ready
}

test_G144_health_of_four_checks() {
    local each status map='goroutine_count: OK
memory_usage: OK
db: ERROR - down
slow: ERROR - timeout'
    # the map is {goroutine_count: OK, memory_usage: OK, db: ERROR - down, slow: ERROR - timeout}
    # if any fails the whole does: 2 are not well; the exit status is 1 if any fails
    for each in 100ms 1s 10s 60s; do # db may be too late, too, where all is slow
        goctl health --check 'db=echo down; exit 1' --check 'slow=sleep 1000' --each $each >"$temporary/health"
        status=$?
        [ "$(grep -c timeout "$temporary/health")" = 1 ] && break
    done
    same "map" "$status $(cat "$temporary/health")" "1 $map"
    expect 0 $'goroutine_count: OK\nmemory_usage: OK\ndb: OK' goctl health --check db=true --each 60s
    # on the ticker they run at 0, 10 and 20 s: here, three rounds; stop ends it
    same "rounds" "$(goctl health --check db=true --each 60s --every 1ms -n 3 | sort | uniq -c | xargs)" \
        "3 db: OK 3 goroutine_count: OK 3 memory_usage: OK"
    mkfifo "$temporary/g144"
    "$GOCTL" health --every 1h >"$temporary/g144" &
    exec 6<"$temporary/g144"
    read -r _ <&6
    read -r _ <&6
    kill -TERM $!
    ended $! 143
    exec 6<&-
    goctl health --check db=false --json | grep -qx '{"check":"db","ok":false,"text":"exit status 1"}' || failed "no JSON"
}

waits_for_a_job() { goctl dump --json | grep -q '"kind":"job"'; }

test_what_is_recorded_ends_with_who_records() {
    local id orders recorder kind
    watched recorded
    for kind in trace "profile cpu"; do
        # shellcheck disable=SC2086 # a command and its operand
        "$GOCTL" $kind "$id" --for 1h &
        recorder=$!
        until waits_for_a_job; do kill -0 "$recorder" || failed "it has ended"; done
        kill -KILL "$recorder"
        ended "$recorder" 137
        while waits_for_a_job; do kill -0 "$daemon" || failed "the daemon is gone"; done
        # shellcheck disable=SC2086
        refuse 5 "it had not begun" goctl $kind "$id" --stop
    done
    dismiss
}

test_what_is_recorded_is_halted_and_still_told() {
    local id orders
    node_of_its_own --test-clock --limit recording_s=5
    watched halted
    expect 0 "" goctl trace "$id" --start
    tell chain
    goctl advance 5s
    expect 0 "" goctl trace "$id" --stop -o "$temporary/halted"
    grep -q create "$temporary/halted" || failed "$(cat "$temporary/halted")"
    refuse 5 "it had not begun" goctl trace "$id" --stop
    dismiss
}

test_what_does_not_run_cannot_be_asked() {
    local id
    id=$(goctl submit "$trial:echo" x)
    goctl wait "$id" >"$temporary/ended"
    refuse 5 "$id" goctl stacks "$id"
    refuse 5 "42" goctl stats --job 42
    refuse 5 "42" goctl monitor 42
    refuse 2 "number" goctl metrics many
    # shellcheck disable=SC2046 # 65 operands are wanted
    refuse 2 "65 jobs; at most 64 at once" goctl metrics $(seq 65)
    refuse 2 "heap" goctl profile heap 42
}

node_start
run_tests
