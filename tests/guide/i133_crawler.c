/*
 * G133 between processes: one process owns the set of what was visited, five others fetch, and a seventh is the site.
 *
 * Pattern: one owner of the visited set, fetchers over channels.
 */
#include <stdatomic.h>

#include "goroutine.h"
#include "http/client.h"
#include "http/server.h"
#include "parts.h"

enum { PAGES = 200, DEPTH = 5, IN_FLIGHT = 5, LINKS = 4, REACHABLE = 63 /* 1 + 2 + 4 + 8 + 16 + 32 */ };

/* ---- the site: page n links to 2n, 2n + 1, back to n / 2, and to itself ---- */

struct site {
    struct part *me;
    atomic_int now;
};

static void serve_page(void *arg, const struct http_request *request, struct http_response *response)
{
    struct site *site = arg;
    int n = atoi(request->path + strlen("/p"));

    /* "at most 5 are in flight" */
    part_must(atomic_fetch_add(&site->now, 1) < IN_FLIGHT, "at most 5 are in flight", __FILE__, __LINE__);
    say(site->me, "GET %s", request->path);
    http_reply(response, n >= 1 && n <= PAGES ? 200 : 404, "%d %d %d %d", 2 * n, 2 * n + 1, n > 1 ? n / 2 : 1,
               n);
    atomic_fetch_sub(&site->now, 1);
}

static void server(struct part *me)
{
    struct site site = {.me = me};
    struct http_server *http = http_server_new();
    gc_chan port = chan_of(me, "port");

    must(http_server_route(http, "/*", (struct http_handler){serve_page, &site}) == 0);
    must(http_server_start(http, "127.0.0.1", "0") == 0);
    for (int i = 0; i < IN_FLIGHT; i++)
        send_number(me, port, http_server_port(http));
    step_wait(me, "crawled");
    http_server_stop(http);
    http_server_delete(http);
}

/* ---- the fetchers: "DEPTH N" comes back as "DEPTH N LINK LINK LINK LINK" ---- */

static void fetcher(struct part *me)
{
    gc_chan todo = chan_of(me, "todo"), found = chan_of(me, "found");
    char page[TEXT_BYTES], url[TEXT_BYTES];
    struct http_answer answer;
    int port, depth, n;

    must(recv_number(me, chan_of(me, "port"), &port));
    while (recv_text(me, todo, page)) {
        must(sscanf(page, "%d %d", &depth, &n) == 2);
        snprintf(url, sizeof url, "http://127.0.0.1:%d/p%d", port, n);
        must(http_get(url, &answer, GO_FOREVER) == 0 && answer.status == 200);
        send_text(me, found, "%d %d %s", depth, n, answer.body);
        http_answer_free(&answer);
    }
}

/* ---- the owner ---- */

struct pages {
    int depth[PAGES + 1]; /* of those that were seen, from 1 */
    int queue[PAGES], first, last;
};

static void add_page(struct pages *pages, int n, int depth)
{
    if (depth > DEPTH + 1 || pages->depth[n])
        return;
    pages->depth[n] = depth;
    pages->queue[pages->last++] = n;
}

static void note_found(struct part *me, struct pages *pages, struct gc_value *v)
{
    int depth, n, link[LINKS];
    char text[TEXT_BYTES];

    must(v->size < sizeof text);
    memcpy(text, v->data, v->size);
    text[v->size] = '\0';
    gc_value_clear(v);
    must(sscanf(text, "%d %d %d %d %d %d", &depth, &n, &link[0], &link[1], &link[2], &link[3]) == 6);
    say(me, "visited %d", n);
    for (int i = 0; i < LINKS; i++)
        add_page(pages, link[i], depth + 1);
}

/* Hands out and takes in, whichever can be done, until nothing is queued and nobody fetches. */
static void owner(struct part *me)
{
    gc_chan todo = chan_of(me, "todo"), found = chan_of(me, "found");
    struct pages pages = {.last = 0};
    int in_flight = 0;

    add_page(&pages, 1, 1);
    while (in_flight > 0 || pages.first < pages.last) {
        int next = pages.first < pages.last ? pages.queue[pages.first] : 0;
        struct gc_value v = {0};
        char text[TEXT_BYTES];
        struct gc_case cases[] = {gc_case_recv(found, &v), gc_case_of(GC_CASE_SEND, GC_NIL)};

        snprintf(text, sizeof text, "%d %d", pages.depth[next], next);
        if (next)
            cases[1] = gc_case_send(todo, gc_string(text));
        if (gc_select(me->g, cases, 2, 0, GC_FOREVER) == 1) {
            pages.first++;
            in_flight++;
        } else {
            in_flight--;
            note_found(me, &pages, &v);
        }
    }
    /* "ends by itself" */
    close_chan(me, todo);
    step_done(me, "crawled");
}

static void crawler(void)
{
    /* "the visited set is exactly the reachable pages within the depth": 1 to 63. "each is requested once" */
    for (int n = 1; n <= REACHABLE; n++)
        must(said_times("visited %d", n) == 1 && said_times("GET /p%d", n) == 1);
    must(part_lines.n == 2 * REACHABLE);
}

GUIDE_PARTS(G133, crawler, .goroutines = true, .channels = {{"port"}, {"todo"}, {"found"}, {"crawled"}},
            .parts = {PART(server), PARTS(IN_FLIGHT, fetcher), PART(owner)});
