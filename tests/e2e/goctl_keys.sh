#!/usr/bin/env bash
# Keys over tcp: made by `goctl keygen`, let in by a file, refused at once and in words.
. "$(dirname "$0")/lib.sh"

keys=$temporary/keys
mkdir "$keys"

# draw NAME makes NAME.keys and prints its public key.
draw() { goctl keygen --out "$keys/$1.keys" 2>"$keys/$1.said"; }

public_of() { sed -n 's/^public //p' "$keys/$1.keys"; }

# far NAME ARGUMENT... is goctl over tcp with the keys of NAME.
far() {
    local name=$1
    shift
    GOROUTINED_ENDPOINT=$far GOROUTINED_SERVER_KEY=$(public_of daemon) GOROUTINED_SECRET_FILE=$keys/$name.keys \
        "$GOCTL" "$@"
}

# logged WORDS: the daemon says them, sooner or later.
until_logged() {
    until grep -qF -- "$1" "$node/daemon.log"; do
        kill -0 "$daemon" || failed "the daemon is gone: $(cat "$node/daemon.log")"
    done
}

for name in daemon alice stranger; do
    draw "$name" >"$keys/$name.public" || exit 1
done
printf '# who may come\n\nalice %s\n' "$(public_of alice)" >"$keys/clients"
node_start --listen 'tcp://127.0.0.1:*' --listen-secret-file "$keys/daemon.keys" --listen-keys-file "$keys/clients"
far=$(sed -n 's/.*endpoint=\(tcp[^ ]*\) keys=required$/\1/p' "$node/daemon.log")

test_keygen_writes_a_file_for_its_owner_alone() {
    same "mode" "$(stat -c %a "$keys/alice.keys")" 600
    same "the printed key" "$(cat "$keys/alice.public")" "$(public_of alice)"
    same "its length" "$(public_of alice | tr -d '\n' | wc -c)" 40
    grep -qF "secret key is in $keys/alice.keys, with mode 0600" "$keys/alice.said" || failed "$(cat "$keys/alice.said")"
    ! grep -qF "$(sed -n 's/^secret //p' "$keys/alice.keys")" "$keys/alice.said" || failed "it told the secret"
}

test_keygen_never_writes_over_anything() {
    local before
    before=$(cat "$keys/alice.keys")
    refuse 1 "cannot make $keys/alice.keys: File exists" goctl keygen --out "$keys/alice.keys"
    same "the file" "$(cat "$keys/alice.keys")" "$before"
    ln -s "$temporary/nowhere" "$keys/link"
    refuse 1 "cannot make $keys/link" goctl keygen --out "$keys/link"
    [ ! -e "$temporary/nowhere" ] || failed "it followed a link"
}

test_a_key_that_is_let_in_works() {
    expect 0 "" far alice make keyed --cap 1
    expect 0 "" far alice send keyed hello
    expect 0 "hello" goctl recv keyed
    grep -qF "event=key_let_in name=alice" "$node/daemon.log" || failed "nobody told of alice"
}

test_a_key_that_nobody_let_in_is_refused_at_once() {
    refuse 7 "it does not let this key in: its listen_keys_file needs a row" far stranger ping
    until_logged "event=key_refused key=\"$(public_of stranger)\""
}

test_a_wrong_key_of_the_daemon_is_refused_at_once() {
    refuse 7 "no handshake: the server's key is wrong" \
        env GOROUTINED_ENDPOINT="$far" GOROUTINED_SERVER_KEY="$(public_of stranger)" \
        GOROUTINED_SECRET_FILE="$keys/alice.keys" "$GOCTL" ping
}

test_no_key_is_refused_at_once() {
    refuse 7 "one side wants keys and the other has none" goctl ping --endpoint "$far"
}

test_keys_are_wrong_in_words() {
    local server
    server=$(public_of daemon)
    refuse 2 'a server key without a secret file; `goctl keygen --out FILE` makes one' \
        goctl ping --endpoint "$far" --server-key "$server"
    refuse 2 "a secret file without a server key" goctl ping --endpoint "$far" --secret-file "$keys/alice.keys"
    refuse 2 '"short" is not a public key' \
        goctl ping --endpoint "$far" --server-key short --secret-file "$keys/alice.keys"
    refuse 7 "cannot open the secret key $keys/nowhere" \
        goctl ping --endpoint "$far" --server-key "$server" --secret-file "$keys/nowhere"
    cp "$keys/alice.keys" "$keys/open.keys"
    chmod 644 "$keys/open.keys"
    refuse 7 "is a secret key with mode 0644: others may reach it; chmod 600 $keys/open.keys" \
        goctl ping --endpoint "$far" --server-key "$server" --secret-file "$keys/open.keys"
}

test_a_reload_lets_in_and_puts_out() {
    local keyed=$keys/clients now
    now=$(cat "$keyed")
    draw bob >/dev/null
    printf 'bob %s\n' "$(public_of bob)" >"$keyed"
    kill -HUP "$daemon"
    until_logged "event=access keys=1"
    expect 0 "" far bob make reloaded
    refuse 7 "it does not let this key in" far alice ping
    printf 'bob nonsense\n' >"$keyed"
    kill -HUP "$daemon"
    until_logged "$keyed:1: 'nonsense' is no public key"
    expect 0 "" far bob rm reloaded
    printf '%s\n' "$now" >"$keyed"
    kill -HUP "$daemon"
    until far alice ping >/dev/null 2>&1; do
        kill -0 "$daemon" || failed "the daemon is gone"
    done
}

run_tests
