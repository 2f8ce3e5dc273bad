#!/usr/bin/env bash
# The command backup: what was acknowledged before it is in the copy, whatever is submitted meanwhile, and the copy is a state that
# a daemon starts from.
. "$(dirname "$0")/lib.sh"
trial=$PLUGINS/trial.so

# submitting adds the number of each job to the ledger when it was acknowledged, until the file `enough` is there.
submitting() {
    until [ -e "$node/enough" ]; do
        goctl submit "$trial:hello" --in 1h >>"$node/ledger" || break
    done
}

until_lines() {
    until [ "$(wc -l <"$node/ledger")" -ge "$1" ]; do
        kill -0 "$daemon" || failed "the daemon is gone"
    done
}

known() { goctl jobs --limit 100000 --json | sed -n 's/^{"job":\([0-9]*\),.*/\1/p' | sort; }

test_a_copy_made_under_load_is_restored() {
    local load path lost
    node_of_its_own --test-clock
    : >"$node/ledger"
    submitting &
    load=$!
    until_lines 20
    sort "$node/ledger" >"$node/before"
    path=$(goctl backup) || failed "no backup"
    until_lines $(($(wc -l <"$node/ledger") + 20))
    touch "$node/enough"
    wait "$load"
    node_stop KILL
    # restored into a directory of its own
    mkdir -m 700 "$node/restored"
    cp "$path" "$node/restored/state.db"
    expect 0 "$node/restored: 0 faults" "$GOROUTINED" --fsck "$node/restored"
    mv "$node/state" "$node/lost" && mv "$node/restored" "$node/state"
    node_start --test-clock
    lost=$(known | comm -23 "$node/before" -)
    same "lost" "$lost" ""
    goctl advance 2h >/dev/null
    until_state "$(head -1 "$node/before")" done
}

test_it_is_in_the_state_directory_and_for_its_owner_alone() {
    local path
    path=$(goctl backup --json | sed -n 's/^{"path":"\(.*\)"}$/\1/p')
    same "folder" "${path%/*}" "$node/state/backups"
    same "mode" "$(stat -c %a "$path")" 600
    same "what is there" "$(ls "$node/state/backups")" "${path##*/}"
}

test_a_daemon_that_keeps_nothing_has_none() {
    node_of_its_own --ephemeral
    refuse 1 "keeps nothing on disk" goctl backup
}

node_start
run_tests
