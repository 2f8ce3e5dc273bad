/*
 * G132 between processes: three fetchers take addresses from one channel; each has exactly one result on another, whatever
 * becomes of it.
 *
 * Pattern: worker pool with a result for each task.
 */
#include "goroutine.h"
#include "http/client.h"
#include "http/server.h"
#include "parts.h"

enum { FETCHERS = 3, PAGE_BYTES = 12345, TIMEOUT_MS = 100, ADDRESSES = 5 };

/* ---- the server ---- */

static void serve_page(void *unused, const struct http_request *request, struct http_response *response)
{
    http_reply(response, 200, "%0*d", PAGE_BYTES, 0);
}

static void serve_held(void *me, const struct http_request *request, struct http_response *response)
{
    step_wait(me, "all_results");
}

static struct http_server *server_new(struct part *me)
{
    struct http_server *http = http_server_new();

    must(http_server_route(http, "/page", (struct http_handler){serve_page, NULL}) == 0);
    must(http_server_route(http, "/held", (struct http_handler){serve_held, me}) == 0);
    must(http_server_start(http, "127.0.0.1", "0") == 0);
    return http;
}

/* On which nobody listens: of a server that has stopped. */
static int refused_port(struct part *me)
{
    struct http_server *http = server_new(me);
    int port = http_server_port(http);

    http_server_stop(http);
    http_server_delete(http);
    return port;
}

static void server(struct part *me)
{
    struct http_server *http = server_new(me);
    gc_chan ports = chan_of(me, "ports");

    send_number(me, ports, http_server_port(http));
    send_number(me, ports, refused_port(me));
    step_wait(me, "all_results");
    http_server_stop(http);
    http_server_delete(http);
}

/* ---- the fetchers ---- */

/* "NAME URL"; the answer to the one that is held is not waited for. */
static void fetch(struct part *me, const char *address)
{
    char name[TEXT_BYTES], url[TEXT_BYTES];
    struct http_answer answer;
    int r;

    must(sscanf(address, "%255s %255s", name, url) == 2);
    r = http_get(url, &answer, strcmp(name, "held") == 0 ? go_after_ms(TIMEOUT_MS) : GO_FOREVER);
    send_text(me, chan_of(me, "results"), "%s: %d, %zu bytes", name, r < 0 ? r : answer.status,
              answer.body_bytes);
    http_answer_free(&answer);
}

static void fetcher(struct part *me)
{
    gc_chan addresses = chan_of(me, "addresses");
    char address[TEXT_BYTES];

    while (recv_text(me, addresses, address))
        fetch(me, address);
}

static void director(struct part *me)
{
    gc_chan ports = chan_of(me, "ports"), addresses = chan_of(me, "addresses");
    char result[TEXT_BYTES];
    int port = 0, refused = 0;

    must(recv_number(me, ports, &port) && recv_number(me, ports, &refused));
    send_text(me, addresses, "page http://127.0.0.1:%d/page", port);
    send_text(me, addresses, "unknown http://127.0.0.1:%d/unknown", port);
    send_text(me, addresses, "held http://127.0.0.1:%d/held", port);
    send_text(me, addresses, "malformed http://[bad");
    send_text(me, addresses, "refused http://127.0.0.1:%d/", refused);
    close_chan(me, addresses);
    for (int i = 0; i < ADDRESSES; i++) {
        must(recv_text(me, chan_of(me, "results"), result));
        say(me, "%s", result);
    }
    step_done(me, "all_results");
}

static void http_requests(void)
{
    /* "exactly one result for each address" */
    must(part_lines.n == ADDRESSES);
    /* "status and size are exact" */
    must(said_times("page: 200, %d bytes", PAGE_BYTES) == 1);
    must(said_times("unknown: 404, %d bytes", (int)strlen("404 page not found")) == 1);
    /* "timeout, refused and malformed give an error each" */
    must(said_times("held: %d, 0 bytes", -ETIMEDOUT) == 1);
    must(said_times("refused: %d, 0 bytes", -ECONNREFUSED) == 1);
    must(said_times("malformed: %d, 0 bytes", -EINVAL) == 1);
}

GUIDE_PARTS(G132, http_requests, .goroutines = true,
            .channels = {{"ports"}, {"addresses", {.capacity = ADDRESSES}}, {"results"}, {"all_results"}},
            .parts = {PART(server), PARTS(FETCHERS, fetcher), PART(director)});
