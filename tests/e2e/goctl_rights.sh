#!/usr/bin/env bash
# Rights of keys over tcp, group by group, in the words of the daemon; and what a reload changes.
. "$(dirname "$0")/lib.sh"

keys=$temporary/keys rights=$temporary/rights
mkdir "$keys"

public_of() { sed -n 's/^public //p' "$keys/$1.keys"; }

for name in daemon alice; do
    goctl keygen --out "$keys/$name.keys" >/dev/null 2>&1 || exit 1
done
printf 'alice %s\n' "$(public_of alice)" >"$keys/clients"
cat >"$rights" <<'END'
# who      verbs      names that begin with
key:alice  send       s.
key:alice  recv       r.
key:alice  make       m.
key:alice  lock       l.
key:alice  context    c.
key:alice  inspect    i.
key:alice  submit     default
END
node_start --listen 'tcp://127.0.0.1:*' --listen-secret-file "$keys/daemon.keys" --listen-keys-file "$keys/clients" \
    --rights-file "$rights"
far=$(sed -n 's/.*endpoint=\(tcp[^ ]*\) keys=required$/\1/p' "$node/daemon.log")
for name in s.a r.a x.a; do
    goctl make "$name" --cap 4
done

# alice ARGUMENT... is goctl over tcp, with the key of alice.
alice() {
    GOROUTINED_ENDPOINT=$far GOROUTINED_SERVER_KEY=$(public_of daemon) GOROUTINED_SECRET_FILE=$keys/alice.keys \
        "$GOCTL" "$@"
}

# not_let VERB NAME GROUP COMMAND... is refused with these words.
not_let() {
    local words="key:alice may not $1 $2: rights_file gives it no $3"
    shift 3
    refuse 1 "$words" alice "$@"
}

test_send_is_for_its_names() {
    expect 0 "" alice send s.a hello
    expect 0 "hello" goctl recv s.a
    not_let chan_open r.a send send r.a hello
    not_let chan_open x.a send send x.a hello
}

test_recv_is_for_its_names() {
    goctl send r.a hello
    expect 0 "hello" alice recv r.a
    not_let chan_open s.a recv recv s.a --try
}

test_close_is_for_its_names() {
    not_let chan_open s.a close close s.a
}

test_make_is_for_its_names() {
    expect 0 "" alice make m.a
    expect 0 "" alice rm m.a
    not_let chan_open s.b make make s.b
    not_let chan_unlink s.a make rm s.a
}

test_a_select_is_judged_case_by_case() {
    goctl send r.a hello
    not_let chan_open x.a recv select --recv r.a --recv x.a
    expect 0 "hello" goctl recv r.a
}

test_locks_are_for_their_names() {
    expect 0 "in" alice lock l.a -- echo in
    not_let lock x.l lock lock x.l -- echo in
    not_let sync_take x.s lock sem x.s --size 1 -- echo in
    not_let sync_add x.g lock wg add x.g
}

test_contexts_are_for_their_names() {
    expect 0 "" alice ctx new c.a
    expect 0 "" alice ctx cancel c.a
    not_let ctx_new x.c context ctx new x.c
    goctl ctx new x.c
    not_let ctx_info x.c context ctx cancel x.c
}

test_inspect_is_for_its_names() {
    expect 0 "" alice ls i. --json
    not_let chan_list x. inspect ls x. --json
    not_let chan_list "" inspect ls --json
    not_let chan_info s.a inspect info s.a
}

# as_before ENDPOINT starts a daemon that lets alice subscribe, and no more.
as_before() {
    node_start --listen "$1" --listen-secret-file "$keys/daemon.keys" --listen-keys-file "$keys/clients" \
        --rights-file "$temporary/subscribe"
    far=$(sed -n 's/.*endpoint=\(tcp[^ ]*\) keys=required$/\1/p' "$node/daemon.log" | tail -n 1)
}

test_who_may_not_inspect_is_told_that_a_topic_is_perhaps_not_kept_any_more() {
    local subscriber
    echo 'key:alice subscribe was.' >"$temporary/subscribe"
    node=$(mktemp -d -p "$temporary") daemon=
    trap node_stop EXIT
    as_before 'tcp://127.0.0.1:*'
    goctl topic set was.a durable=yes
    GOROUTINED_ENDPOINT=$far GOROUTINED_SERVER_KEY=$(public_of daemon) GOROUTINED_SECRET_FILE=$keys/alice.keys \
        "$GOCTL" sub was.a >"$temporary/was" 2>"$temporary/was.errors" &
    subscriber=$!
    until_subscribed was.a 1
    goctl pub was.a 1
    until [ "$(cat "$temporary/was")" = 1 ]; do kill -0 "$subscriber" || failed "$(cat "$temporary/was.errors")"; done
    goctl topic unset was.a
    node_stop KILL
    as_before "$far" # where it was
    until grep -q "subscribed again" "$temporary/was.errors"; do
        kill -0 "$subscriber" || failed "$(cat "$temporary/was.errors")"
    done
    grep -q "whether was.a is kept" "$temporary/was.errors" || failed "$(cat "$temporary/was.errors")"
    kill -TERM "$subscriber"
    ended "$subscriber" 143
}

test_submit_is_for_the_function_too() {
    not_let submit "$PLUGINS/trial.so:echo" submit submit "$PLUGINS/trial.so:echo" x
    refuse 1 "key:alice may not submit mail: rights_file gives it no submit" \
        alice submit --queue mail "$PLUGINS/trial.so:echo" x
}

test_a_user_of_the_daemon_may_everything() {
    expect 0 "" goctl make anything
    expect 0 "" goctl rm anything
}

test_a_reload_changes_what_is_let() {
    local before
    before=$(cat "$rights")
    not_let chan_open y.a make make y.a
    printf 'key:alice make y.\n' >>"$rights"
    kill -HUP "$daemon"
    until alice make y.a 2>/dev/null; do
        kill -0 "$daemon" || failed "the daemon is gone"
    done
    printf 'key:alice make\n' >>"$rights"
    kill -HUP "$daemon"
    until grep -qF "event=access_kept why=\"$rights:10: a row is WHO VERBS PREFIX\"" "$node/daemon.log"; do
        kill -0 "$daemon" || failed "the daemon is gone"
    done
    expect 0 "" alice rm y.a
    printf '%s\n' "$before" >"$rights"
    kill -HUP "$daemon"
    until ! alice make y.b 2>/dev/null; do
        alice rm y.b 2>/dev/null
        kill -0 "$daemon" || failed "the daemon is gone"
    done
}

run_tests
