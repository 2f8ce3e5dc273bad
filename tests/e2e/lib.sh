# shellcheck shell=bash
# What the end-to-end tests of goctl share: a private daemon, and ways to compare. Sourced.
#
# A test is a function whose name begins with test_ and states one outcome; `run_tests` runs them all, each in a shell
# of its own with a daemon shared by the file. Nothing here waits for a time: it waits for a state, seen by a probe.
# The caller gives the programs: GOROUTINED, GOCTL, EXAMPLES (the folder of the example programs), PLUGINS.

set -u
temporary=$(mktemp -d) daemon= running=
node=$temporary # the folder of the daemon

# A process that a test forgot ends with its session: the daemon's end is noticed by all of them.
finish() {
    local status=$?
    trap - EXIT
    node_stop
    rm -rf "$temporary"
    exit "$status"
}
trap finish EXIT
trap 'stopped; exit 143' TERM INT HUP

# stopped says in which test somebody lost his patience.
stopped() {
    echo "stopped in ${running:-the start of the daemon}"
    cat "$temporary/test.log" "$temporary/ping" "$temporary/daemon.log" 2>/dev/null
}

goctl() { "$GOCTL" "$@"; }
export GOROUTINED_CONNECT_TIMEOUT=30s # machines that test are loaded

# node_start [OPTION...] starts a daemon with state and socket in its folder, and waits for its answer.
node_start() {
    export GOROUTINED_ENDPOINT=ipc://$node/socket
    "$GOROUTINED" --state "$node/state" "$@" >>"$node/daemon.log" 2>&1 &
    daemon=$!
    until goctl ping >"$node/ping" 2>&1; do
        kill -0 "$daemon" 2>/dev/null || { cat "$node/daemon.log"; echo "the daemon ended at its start"; exit 1; }
    done
}

# node_of_its_own [OPTION...] gives a test a daemon that it may stop and start again; it ends with the test.
node_of_its_own() {
    node=$(mktemp -d -p "$temporary") daemon=
    trap node_stop EXIT
    node_start "$@"
}

# node_stop [SIGNAL] ends the daemon and waits for it.
node_stop() {
    [ -n "$daemon" ] || return 0
    kill "-${1:-TERM}" "$daemon" 2>/dev/null
    wait "$daemon" 2>/dev/null
    daemon=
}

# failed TEXT... ends the test.
failed() {
    echo "  $*"
    exit 1
}

# expect STATUS OUTPUT COMMAND... runs the command and compares its exit status and its whole output.
expect() {
    local status=$1 output=$2 got seen
    shift 2
    got=$("$@" 2>"$temporary/errors"; echo "status $?")
    seen=${got##*status }
    got=${got%status *}
    got=${got%$'\n'}
    [ "$seen" = "$status" ] || failed "$*: status $seen, not $status: $got $(cat "$temporary/errors")"
    [ "$got" = "$output" ] || failed "$*: printed '$got', not '$output'"
}

# refuse STATUS WORDS COMMAND... expects no output, and an error that holds the words.
refuse() {
    local status=$1 words=$2
    shift 2
    expect "$status" "" "$@"
    grep -qF -- "$words" "$temporary/errors" ||
        failed "$*: says '$(cat "$temporary/errors")', not '$words'"
}

# same NAME SEEN WANTED
same() { [ "$2" = "$3" ] || failed "$1: '$2', not '$3'"; }

# ended PID STATUS waits for a child and compares.
ended() {
    local seen=0
    wait "$1" || seen=$?
    same "exit status" "$seen" "$2"
}

# each_ended STATUS PID... waits for all of them.
each_ended() {
    local status=$1 pid
    shift
    for pid in "$@"; do ended "$pid" "$status"; done
}

# until_waiting NAME NUMBER waits until so many operations wait for the object.
until_waiting() {
    until [ "$(goctl dump --object "$1" --json | wc -l)" = "$2" ]; do
        kill -0 "$daemon" || failed "the daemon is gone"
    done
}

# number_of NAME MEMBER prints one number of a channel.
number_of() { goctl info "$1" --json | sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"; }

# until_number NAME MEMBER VALUE waits until the number of the channel is that.
until_number() {
    until [ "$(number_of "$1" "$2")" = "$3" ]; do
        kill -0 "$daemon" || failed "the daemon is gone"
    done
}

# number_of_topic TOPIC MEMBER prints one number of a topic or pattern; nothing where nobody has subscribed to just that.
number_of_topic() { goctl topic info "$1" --json 2>/dev/null | sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"; }

# until_subscribed TOPIC NUMBER waits until so many have subscribed to just that.
until_subscribed() {
    until [ "$(number_of_topic "$1" subscriptions)" = "$2" ]; do
        kill -0 "$daemon" || failed "the daemon is gone"
    done
}

# state_of ID prints the state of a job; until_state waits for it.
state_of() { goctl job "$1" --json | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p'; }
until_state() {
    local state
    until state=$(state_of "$1") && [ "$state" = "$2" ]; do
        case $state in
        "done" | failed | cancelled | dead) failed "job $1 is $state, not $2: $(goctl job "$1")" ;;
        esac
        kill -0 "$daemon" || failed "the daemon is gone"
    done
}

# run_tests runs every function test_*, says what failed, and ends the script.
run_tests() {
    local name log=$temporary/test.log ran=0 bad=()
    for name in $(declare -F | sed -n 's/^declare -f \(test_\)/\1/p'); do
        running=$name
        ran=$((ran + 1))
        if (trap - EXIT; "$name") >"$log" 2>&1; then
            echo "ok $name"
        else
            echo "FAILED $name"
            cat "$log"
            bad+=("$name")
        fi
    done
    echo "[==========] ${0##*/}: $ran test(s) run."
    if [ ${#bad[@]} -gt 0 ]; then
        echo "failed: ${bad[*]}; the end of the daemon's log:"
        tail -20 "$temporary/daemon.log"
        exit 1
    fi
    exit 0
}
