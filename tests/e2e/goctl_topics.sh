#!/usr/bin/env bash
# The commands pub, sub and topic, with the real daemon: what is printed, and exit statuses.
. "$(dirname "$0")/lib.sh"

# subscribed TOPIC ARGUMENT... starts a subscriber, whose output is in the file of that name, and waits until it has subscribed.
subscribed() {
    "$GOCTL" sub "$@" >"$temporary/$1" 2>"$temporary/$1.errors" &
    subscriber=$!
    until_subscribed "$1" 1
}

test_IP14_what_is_published_is_printed_until_the_close() {
    subscribed news
    expect 0 "" goctl pub news hello "second one"
    printf 'line\n\nlast' | goctl pub news -
    expect 0 "" goctl topic close news
    ended "$subscriber" 0
    same "printed" "$(cat "$temporary/news")" $'hello\nsecond one\nline\n\nlast'
    same "errors" "$(cat "$temporary/news.errors")" ""
    refuse 5 "nobody has subscribed" goctl topic close news
}

test_IP14_a_wildcard_prints_the_topic_too() {
    subscribed 'wild.>'
    goctl pub wild.a.b one
    goctl pub wild.c two
    goctl pub wilder no
    goctl topic close 'wild.>'
    ended "$subscriber" 0
    same "printed" "$(cat "$temporary/wild.>")" $'wild.a.b one\nwild.c two'
    subscribed 'bare.*' --bare
    goctl pub bare.a one
    goctl topic close 'bare.*'
    ended "$subscriber" 0
    same "bare" "$(cat "$temporary/bare.*")" one
}

test_IP14_several_patterns_are_printed_as_they_come() {
    local n
    subscribed several.a several.b -n 4
    until_subscribed several.b 1
    for n in 1 2; do goctl pub several.a $n && goctl pub several.b $n; done
    ended "$subscriber" 0
    same "printed" "$(cat "$temporary/several.a")" $'several.a 1\nseveral.b 1\nseveral.a 2\nseveral.b 2'
    subscribed both.a both.b
    until_subscribed both.b 1
    goctl topic close both.a
    goctl pub both.b still
    goctl topic close both.b
    ended "$subscriber" 0
    same "after a close" "$(cat "$temporary/both.a")" "both.b still"
}

test_count_timeout_and_close_have_their_exit_statuses() {
    subscribed count -n 2
    goctl pub count 1 2 3
    ended "$subscriber" 0
    same "printed" "$(cat "$temporary/count")" $'1\n2'
    refuse 3 "deadline" goctl sub silence --timeout 20ms
    refuse 8 "" goctl sub silence --try
    subscribed early -n 2
    goctl pub early 1
    goctl topic close early
    ended "$subscriber" 4
    subscribed signalled
    kill -TERM "$subscriber"
    ended "$subscriber" 143
    refuse 2 "no message" goctl pub news
    refuse 2 "drop-newest" goctl sub news --policy never
    refuse 2 "start, now, last" goctl sub news --from nowhere
    refuse 2 "sequence" goctl pub news x --expect last
    refuse 2 "" goctl pub news..sports x
    refuse 2 "" goctl sub 'news.>.sports'
    refuse 2 "which?" goctl topic info
    refuse 2 "there is no" goctl topic make news
    refuse 5 "goctl topic ls" goctl topic info nobody
}

test_IP14_json_tells_all_of_a_message() {
    local seen
    subscribed json --json -n 2
    expect 0 '{"topic":"json","published":1,"receivers":1,"dropped":0,"repeated":0,"sequence":0}' \
        goctl pub json '{"id": 7}' --key customer-3 --header kind=order --header note= --json
    printf 'a\0\377' | goctl pub json --raw
    ended "$subscriber" 0
    seen=$(sed 's/"time":"20[0-9-]*T[0-9:.]*Z"/"time":T/' "$temporary/json")
    same "printed" "$seen" '{"topic":"json","value":"{\"id\": 7}","time":T,"key":"customer-3","headers":[{"name":"kind","value":"order"},{"name":"note","value":""}]}
{"topic":"json","value_base64":"YQD/","time":T}'
}

test_headers_times_topics_and_raw_values() {
    subscribed headers --headers --topic -n 2
    goctl pub headers one --header kind=order -H a=b
    goctl pub headers two
    ended "$subscriber" 0
    same "headers" "$(cat "$temporary/headers")" $'kind: order\na: b\n\nheaders one\nheaders two'
    subscribed times --time -n 1
    goctl pub times now
    ended "$subscriber" 0
    grep -qxE '20[0-9-]+T[0-9:.]+Z now' "$temporary/times" || failed "$(cat "$temporary/times")"
    subscribed 'raw.*' --raw -n 2
    goctl pub raw.a a b
    ended "$subscriber" 0
    same "raw" "$(cat "$temporary/raw.*")" "ab"
}

test_a_format_says_what_is_printed() {
    subscribed format --format '%t=%p key %k %h{kind}%h{none} lost %l, 100%%' -n 2
    goctl pub format one -k k --header kind=order
    goctl pub format two
    ended "$subscriber" 0
    same "printed" "$(cat "$temporary/format")" $'format=one key k order lost 0, 100%\nformat=two key   lost 0, 100%'
    subscribed 'format.*' --format '%p,' --raw -n 2
    goctl pub format.raw 1 2
    ended "$subscriber" 0
    same "raw" "$(cat "$temporary/format.*")" "1,2,"
    refuse 2 '"%q %p" is not %t' goctl sub format --format '%t %q %p'
    refuse 2 "%h{NAME}" goctl sub format --format 'x %h{kind'
    refuse 2 "%h{NAME}" goctl sub format --format '100%'
}

test_pub_repeats_and_counts() {
    subscribed repeats -n 6
    expect 0 '{"topic":"repeats","published":4,"receivers":4,"dropped":0,"repeated":0,"sequence":0}' \
        goctl pub repeats a b -n 2 --json
    seq 2 | goctl pub repeats --lines --batch 1 --every 1ms
    ended "$subscriber" 0
    same "printed" "$(cat "$temporary/repeats")" $'a\nb\na\nb\n1\n2'
    expect 0 '{"topic":"nobody","published":1,"receivers":0,"dropped":0,"repeated":0,"sequence":0}' goctl pub nobody x --json
}

test_ls_and_info_tell_what_became_of_messages() {
    subscribed listed.a --capacity 5 -n 3
    goctl pub listed.a 1 2
    expect 0 $'SUBSCRIPTIONS PUBLISHED DELIVERED  DROPPED MESSAGES KEPT NAME\n            1         2         2        0        0 live listed.a' goctl topic ls 'listed.*'
    goctl topic info listed.a | grep -qx 'published         2' || failed "$(goctl topic info listed.a)"
    expect 0 '{"name":"listed.a","kept":"live","subscriptions":1,"published":2,"delivered":2,"dropped":0}' \
        sh -c '"$0" topic ls listed.a --json | sed "s/,\"last\":\"[^\"]*\"//"' "$GOCTL"
    goctl pub listed.a 3
    ended "$subscriber" 0
    expect 0 "" goctl topic ls 'listed.*' --json
}

test_IP15_a_topic_that_is_set_so_is_kept() {
    node_of_its_own
    expect 0 "" goctl topic set 'kept.>' durable=yes keep_messages=100
    refuse 2 "durable" goctl topic set 'kept.>' durable=perhaps
    expect 0 '{"topic":"kept.a","published":3,"receivers":0,"dropped":0,"repeated":0,"sequence":3}' \
        goctl pub kept.a 1 2 3 --once job-7 --json
    expect 0 '{"topic":"kept.a","published":3,"receivers":0,"dropped":0,"repeated":3,"sequence":3}' \
        goctl pub kept.a 1 2 3 --once job-7 --json
    expect 0 "" goctl pub kept.a 4 --expect 3
    refuse 1 "goctl topic info" goctl pub kept.a 5 --expect 3
    refuse 2 "goctl topic set" goctl pub other 1 --once x
    goctl topic ls 'kept.*' | grep -qE ' 4 disk kept.a$' || failed "$(goctl topic ls)"
    same "sequence" "$(number_of_topic kept.a last_sequence)" 4
    goctl topic info kept.a | grep -qx 'keep_messages     100          set' || failed "$(goctl topic info kept.a)"
    goctl topic info kept.a --json | grep -qF '"durable":{"value":"yes","origin":"set"}' || failed "$(goctl topic info kept.a --json)"
    expect 0 "" goctl topic unset 'kept.>'
    refuse 5 "unset" goctl topic unset 'kept.>'
}

test_IP15_8_a_subscription_begins_in_the_past() {
    local third
    goctl topic set 'past.>' durable=yes
    seq 3 | goctl pub past.a -
    expect 0 $'past.a 1\npast.a 2\npast.a 3' goctl sub 'past.>' --from start -n 3
    third=$(number_of_topic past.a last_sequence)
    expect 0 3 goctl sub past.a --from "$third" -n 1
    expect 0 "$third 3" goctl sub past.a --from "$third" -n 1 --format '%s %p'
    expect 0 $'1\n2' goctl sub past.a --from 1h -n 2
    expect 0 1 goctl sub past.a --from 2020-01-01T00:00:00Z -n 1 --ack
    refuse 3 "deadline" goctl sub past.a --from now --timeout 20ms
    expect 0 "" goctl topic unset 'past.>'
}

test_IP16_6_a_durable_subscription_goes_on_where_it_was() {
    local gone
    goctl topic set 'shared.>' durable=yes
    seq 6 | goctl pub shared.a -
    expect 0 $'shared.a 1\nshared.a 2' goctl sub 'shared.>' --durable billing --from start -n 2 --set ack_wait=60000
    expect 0 $'shared.a 3' goctl sub 'shared.>' --durable billing -n 1
    # what the reader of the pipe has not taken goes to the next one
    goctl sub 'shared.>' --durable billing --bare --ack | head -1 >"$temporary/shared"
    same "taken" "$(cat "$temporary/shared")" 4
    expect 0 $'5\n6' goctl sub 'shared.>' --durable billing --bare -n 2
    refuse 1 "goctl durable info" goctl sub 'other.>' --durable billing
    goctl durable ls | grep -qE '^ +0 +0 +0 +0 - +billing shared.>$' || failed "$(goctl durable ls)"
    goctl durable info billing | grep -qE '^ack_wait +60000 +set$' || failed "$(goctl durable info billing)"
    refuse 5 "goctl durable ls" goctl durable info bill
    expect 0 "" goctl durable seek billing start
    expect 0 1 goctl sub 'shared.>' --durable billing --bare -n 1
    expect 0 "" goctl durable pause billing
    refuse 8 "" goctl sub 'shared.>' --durable billing --try
    goctl durable info billing --json | grep -q '"paused":true' || failed "$(goctl durable info billing --json)"
    expect 0 "" goctl durable resume billing
    expect 0 "" goctl durable set billing tries=3
    "$GOCTL" sub 'shared.>' --durable billing --bare --from start >"$temporary/shared" &
    gone=$!
    until [ "$(wc -l <"$temporary/shared")" = 5 ]; do kill -0 "$gone"; done
    expect 0 "" goctl durable rm billing
    ended "$gone" 0
    refuse 5 "" goctl durable rm billing
    refuse 2 "seek" goctl durable seek billing last
    refuse 2 "which?" goctl durable info
    expect 0 "" goctl topic unset 'shared.>'
}

test_IP15_5_topics_are_purged_and_removed() {
    goctl topic set 'purge.>' durable=yes
    seq 10 | goctl pub purge.a -
    goctl pub purge.b only
    expect 0 "4 messages are forgotten" goctl topic purge purge.a --keep 6
    expect 0 '{"topic":"purge.a","forgotten":1}' goctl topic purge purge.a --until "$(number_of_topic purge.a first_sequence)" --json
    expect 0 $'purge.a 10\npurge.b only' goctl sub 'purge.>' --from last -n 2
    expect 0 $'5 messages are forgotten\n1 messages are forgotten' goctl topic rm purge.a purge.b
    refuse 5 "goctl topic ls" goctl topic rm purge.a
    expect 0 "" goctl topic unset 'purge.>'
}

test_IP15_10_messages_are_published_when_their_time_has_come() {
    node_of_its_own --test-clock
    goctl topic set 'later.>' durable=yes
    expect 0 '{"topic":"later.a","published":2,"receivers":0,"dropped":0,"repeated":0,"sequence":0}' \
        goctl pub later.a 1 2 --in 1h --json
    expect 0 "" goctl pub later.a first --in 30m --once x
    expect 0 '{"topic":"later.a","published":1,"receivers":0,"dropped":0,"repeated":1,"sequence":0}' \
        goctl pub later.a first --once x --json
    goctl topic info later.a | grep -qx 'delayed           3' || failed "$(goctl topic info later.a)"
    node_stop KILL
    node_start --test-clock
    same "delayed" "$(number_of_topic later.a delayed)" 3
    same "messages" "$(number_of_topic later.a messages)" 0
    goctl advance 30m >/dev/null
    expect 0 first goctl sub later.a --from start -n 1
    goctl advance 30m >/dev/null
    expect 0 $'first\n1\n2' goctl sub later.a --from start -n 3
    node_stop KILL
    node_start
    same "delayed" "$(number_of_topic later.a delayed)" 0
    same "messages" "$(number_of_topic later.a messages)" 3
}

test_IP15_10_a_time_on_the_wall_says_when_too() {
    node_of_its_own --test-clock
    goctl topic set 'later.>' durable=yes
    expect 0 '{"topic":"later.a","published":1,"receivers":0,"dropped":0,"repeated":0,"sequence":1}' \
        goctl pub later.a past --at 2020-03-01T12:00:00Z --json
    seq 2 | goctl pub later.a --lines --batch 1 --at "$(date -u -d '1 hour' +%FT%TZ)"
    same "delayed" "$(number_of_topic later.a delayed)" 2
    goctl advance 2h >/dev/null # its clock stands still since its start
    expect 0 $'past\n1\n2' goctl sub later.a --from start -n 3
    refuse 2 "2026-03-01" goctl pub later.a x --at tomorrow
    refuse 2 "one of them" goctl pub later.a x --at 2020-03-01 --in 1h
    refuse 2 "goctl topic set" goctl pub live x --in 1h
    refuse 2 "expected sequence" goctl pub later.a x --in 1h --expect 0
}

# It is due before it starts again, or before it is killed: either way it comes once.
test_IP15_10_what_is_due_while_no_daemon_runs_comes_when_one_starts() {
    node_of_its_own
    goctl topic set 'later.>' durable=yes
    goctl pub later.a 1 --in 1ms
    node_stop KILL
    node_start
    expect 0 1 goctl sub later.a --from start -n 1
    goctl pub later.a 2
    expect 0 $'1\n2' goctl sub later.a --from start -n 2
}

test_IP14_13_a_subscription_begins_with_the_last_message_of_each_topic() {
    goctl topic set 'sensors.>' last=yes
    seq 3 | goctl pub sensors.a -
    goctl pub sensors.b 4
    expect 0 $'sensors.a 3\nsensors.b 4' goctl sub 'sensors.>' --from last -n 2
    goctl sub sensors.a --from last --json -n 1 | grep -q '"value":"3".*"last":true' ||
        failed "$(goctl sub sensors.a --from last --json -n 1)"
    goctl topic ls 'sensors.*' | grep -qE ' 1 last sensors.a$' || failed "$(goctl topic ls)"
    goctl topic info sensors.b | grep -qx 'kept              last' || failed "$(goctl topic info sensors.b)"
    "$GOCTL" sub 'sensors.*' --from last -n 3 --json >"$temporary/last" &
    local reader=$!
    until_subscribed 'sensors.*' 1
    goctl pub sensors.a 5
    ended "$reader" 0
    same "with the new one" "$(grep -c '"last":true' "$temporary/last")" 2
    expect 0 "1 messages are forgotten" goctl topic purge sensors.a
    expect 0 "0 messages are forgotten" goctl topic purge sensors.a
    refuse 8 "" goctl sub sensors.a --from last --try
    goctl topic set 'sensors.>' last=until-empty
    goctl pub sensors.a 6
    goctl pub sensors.a ''
    refuse 8 "" goctl sub sensors.a --from last --try
    expect 0 "" goctl topic unset 'sensors.>'
    refuse 8 "" goctl sub sensors.b --from last --try
}

# What the reader of a pipe has not taken stays where it was.
test_a_reader_that_leaves_ends_the_subscription() {
    goctl sub left | head -1 >"$temporary/left" &
    local reader=$!
    until_subscribed left 1
    goctl pub left 1
    ended "$reader" 0
    until [ -z "$(number_of_topic left subscriptions)" ]; do goctl pub left 2; done
    same "read" "$(cat "$temporary/left")" 1
}

# until_lines FILE NUMBER waits until the file has so many lines.
until_lines() {
    until [ "$(wc -l <"$temporary/$1")" = "$2" ]; do
        kill -0 "$subscriber" || failed "the subscriber has ended: $(cat "$temporary/$1.errors")"
    done
}

# restarted [SIGNAL] ends the daemon, by SIGKILL if not given, and starts another one.
restarted() {
    node_stop "${1:-KILL}"
    node_start
}

test_a_live_subscription_comes_back_with_the_daemon_and_says_what_may_be_missing() {
    node_of_its_own
    subscribed back
    goctl pub back 1
    until_lines back 1
    restarted
    until_subscribed back 1
    goctl pub back 2
    goctl topic close back
    ended "$subscriber" 0
    same "printed" "$(cat "$temporary/back")" $'1\n2'
    grep -q "waiting for it to come back" "$temporary/back.errors" || failed "$(cat "$temporary/back.errors")"
    grep -q "published meanwhile may be missing" "$temporary/back.errors" || failed "$(cat "$temporary/back.errors")"
}

test_IP15_8_a_kept_topic_is_read_on_behind_what_was_printed() {
    node_of_its_own
    goctl topic set 'log.>' durable=yes
    goctl pub log.a 1
    "$GOCTL" sub log.a --from start -n 3 >"$temporary/log.a" 2>"$temporary/log.a.errors" &
    subscriber=$!
    until_lines log.a 1
    kill -STOP "$subscriber"
    restarted
    goctl pub log.a 2
    kill -CONT "$subscriber"
    until_lines log.a 2
    goctl pub log.a 3
    ended "$subscriber" 0
    same "printed" "$(cat "$temporary/log.a")" $'1\n2\n3'
    grep -q "behind the last message" "$temporary/log.a.errors" || failed "$(cat "$temporary/log.a.errors")"
}

test_IP16_6_a_durable_subscription_is_joined_again() {
    node_of_its_own
    goctl topic set 'job.>' durable=yes
    goctl pub job.a 1
    "$GOCTL" sub 'job.>' --durable joined --from start --bare -n 3 >"$temporary/job" 2>"$temporary/job.errors" &
    subscriber=$!
    until goctl durable info joined --json 2>/dev/null | grep -q '"outstanding":0,.*"floor":1,'; do kill -0 "$subscriber" || failed "it ended"; done
    restarted TERM # what is acknowledged is on the disk then
    goctl pub job.a 2 3
    ended "$subscriber" 0
    same "printed" "$(cat "$temporary/job")" $'1\n2\n3'
    grep -q "not acknowledged comes again" "$temporary/job.errors" || failed "$(cat "$temporary/job.errors")"
}

test_IP15_8_a_topic_that_is_not_kept_any_more_goes_on_live() {
    node_of_its_own
    goctl topic set was.a durable=yes
    "$GOCTL" sub was.a -n 2 >"$temporary/was" 2>"$temporary/was.errors" &
    subscriber=$!
    until_subscribed was.a 1
    goctl pub was.a 1
    until_lines was 1
    goctl topic unset was.a
    restarted
    until_subscribed was.a 1
    goctl pub was.a 2
    ended "$subscriber" 0
    same "printed" "$(cat "$temporary/was")" $'1\n2'
    grep -q "was.a is not kept any more" "$temporary/was.errors" || failed "$(cat "$temporary/was.errors")"
}

# It is printed, and others get it again: who asked for one message has to know.
test_IP16_6_a_last_message_that_is_not_acknowledged_is_no_good_end() {
    node_of_its_own
    goctl topic set big.a durable=yes
    head -c 300000 /dev/zero | tr '\0' x | goctl pub big.a --raw
    mkfifo "$temporary/big"
    "$GOCTL" sub big.a --durable big --from start -n 1 >"$temporary/big" 2>"$temporary/big.errors" &
    subscriber=$!
    exec 9<"$temporary/big"
    head -c 1 <&9 >/dev/null # more of it than the pipe takes is to come
    restarted
    cat <&9 >/dev/null
    exec 9<&-
    ended "$subscriber" 7 # it has heard of the end before it acknowledges, or after that
    grep -qE "(is not acknowledged: .*others get|may not be acknowledged: .*others may get) it again" "$temporary/big.errors" ||
        failed "$(cat "$temporary/big.errors")"
    same "the message" "$(goctl sub big.a --durable big -n 1 --timeout 30s | wc -c)" 300001
}

# results_kept: so many results of the daemon nobody has acknowledged; a message that is held is one of them.
results_kept() { goctl stats results.kept --json | jq '."results.kept"'; }

# The acknowledgement has left, and nobody was asked any more whether it was in time.
test_IP16_6_a_last_message_of_which_nothing_is_heard_may_be_acknowledged() {
    node_of_its_own
    goctl topic set big.a durable=yes
    head -c 300000 /dev/zero | tr '\0' x | goctl pub big.a --raw
    mkfifo "$temporary/unheard"
    goctl ctx new over
    "$GOCTL" sub big.a --durable big --from start -n 1 --ctx over >"$temporary/unheard" 2>"$temporary/unheard.errors" &
    subscriber=$!
    exec 9<"$temporary/unheard"
    head -c 1 <&9 >/dev/null # more of it than the pipe takes is to come
    goctl ctx cancel over
    until [ "$(results_kept)" = 1 ]; do kill -0 "$subscriber" || failed "it has ended"; done # it has heard of the end
    cat <&9 >/dev/null
    exec 9<&-
    ended "$subscriber" 6
    grep -q "may not be acknowledged: .*others may get it again" "$temporary/unheard.errors" ||
        failed "$(cat "$temporary/unheard.errors")"
}

test_a_subscription_waits_for_a_daemon_as_long_as_it_is_told() {
    node_of_its_own
    subscribed ends --no-reconnect
    restarted
    ended "$subscriber" 7
    subscribed ends --reconnect 20ms
    node_stop KILL
    ended "$subscriber" 7
    grep -q "subscribe again" "$temporary/ends.errors" || failed "$(cat "$temporary/ends.errors")"
    node_start
    subscribed ends
    node_stop KILL
    kill -TERM "$subscriber"
    ended "$subscriber" 143
    refuse 2 "do not go together" goctl sub ends --reconnect 1s --no-reconnect
}

node_start
run_tests
