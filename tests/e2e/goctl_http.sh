#!/usr/bin/env bash
# Rows of tests/guide/ROWS.md in form C that are about HTTP: a server is a job, its clients are curl. The number of the row
# is in the name.
. "$(dirname "$0")/lib.sh"

# serve starts a server as a job: its number in $id, its port in $port.
serve() {
    goctl make http.stop --if-missing
    goctl make http.gate --if-missing
    id=$(goctl submit "$HTTPD:serve" 0 --retries 1) || failed "no server"
    until port=$(goctl logs "$id" | head -1) && [ -n "$port" ]; do until_state "$id" running; done
}

# get PATH... prints status and text of each.
get() { curl -sS -w ' %{http_code}\n' "${@/#/http://127.0.0.1:$port}"; }

# stopped sees that the server, which was told to stop, ended well.
stopped() {
    goctl wait "$id" >"$temporary/stopped" || failed "$(goctl job "$id")"
    same "output" "$(goctl logs "$id" | xargs)" "$port stopped"
    goctl rm http.stop http.gate
}

test_G129_a_server_is_a_job() {
    local id port slow
    serve
    get /slow >"$temporary/g129" &
    slow=$!
    until_number http.gate receivers 1
    # "Hello, World!" is answered while /slow is held
    same "/" "$(get /)" "Hello, World! 200"
    # an unknown path is 404
    same "unknown" "$(get /unknown)" "404 page not found 404"
    # 100 parallel requests: 100 x 200
    same "in parallel" "$(curl -sS -Z --parallel-max 100 -o /dev/null -w '%{http_code}\n' \
        "http://127.0.0.1:$port/?[1-100]" | sort | uniq -c | xargs)" "100 200"
    # a port in use is an error, and the exit status is not 0
    refuse 9 "cannot serve: Address already in use" goctl submit "$HTTPD:serve" "$port" --retries 1 --wait
    # on stop running requests finish
    goctl close http.stop
    until ! get / >"$temporary/g129.refused" 2>&1; do kill -0 "$slow" || failed "/slow ended: $(cat "$temporary/g129")"; done
    same "state" "$(state_of "$id")" running
    goctl close http.gate
    ended "$slow" 0
    # /slow: "Slow operation completed!"
    same "/slow" "$(cat "$temporary/g129")" "Slow operation completed! 200"
    stopped
}

# fetch reads "NAME URL" and prints "NAME STATUS BYTES", or what curl says of an error. The one that is held is not waited for.
fetch() {
    local name url limit result
    while read -r name url; do
        limit=60
        if [ "$name" = held ]; then limit=0.1; fi
        result=$(curl -s -o "$temporary/page.$name" --max-time $limit -w '%{http_code} %{size_download}' "$url") ||
            result="error $?"
        echo "$name $result"
    done
}

test_G132_three_workers_fetch_addresses() {
    local id port refused workers=()
    serve
    refused=$port
    goctl close http.stop
    stopped
    serve
    goctl make g132.addresses --cap 5
    goctl make g132.results --cap 5
    for _ in 1 2 3; do
        (goctl range g132.addresses | fetch | goctl send --lines g132.results) &
        workers+=($!)
    done
    goctl send g132.addresses "page http://127.0.0.1:$port/page" "unknown http://127.0.0.1:$port/unknown" \
        "held http://127.0.0.1:$port/slow" "malformed http://[bad" "refused http://127.0.0.1:$refused/"
    goctl close g132.addresses
    for worker in "${workers[@]}"; do ended "$worker" 0; done
    goctl close g132.results
    # exactly one result for each address; status and size are exact; timeout (28), refused (7) and malformed (3) give an error each
    same "results" "$(goctl range g132.results | sort | xargs -d '\n' printf '%s;')" \
        "held error 28;malformed error 3;page 200 12345;refused error 7;unknown 404 18;"
    goctl close http.gate http.stop
    stopped
}

node_start
run_tests
