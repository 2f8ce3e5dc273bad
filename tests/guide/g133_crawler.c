/*
 * G133 Concurrent web crawler: a site of linked pages with cycles, a limit of depth, at most 5 requests at once.
 *
 * Pattern: one owner of the visited set, fetchers over channels (http/crawler.c).
 */
#include "guide.h"
#include "http/crawler.h"
#include "http/local.h"
#include "http/middleware.h"

enum { PAGES = 200, DEPTH = 5, IN_FLIGHT = 5, REACHABLE = 63 /* 1 + 2 + 4 + 8 + 16 + 32 */ };

/* Page n links to 2n, 2n + 1, back to n / 2, and to itself. */
static void serve_page(void *peak, const struct http_request *request, struct http_response *response)
{
    int n = atoi(request->path + strlen("/p"));

    peak_enter(peak);
    go_yield();
    http_reply(
        response, n >= 1 && n <= PAGES ? 200 : 404,
        "<a href=\"p%d\">left</a> <a href=\"/p%d\">right</a> <a href=\"p%d\">up</a> <a href=\"p%d\">here</a>",
        2 * n, 2 * n + 1, n > 1 ? n / 2 : 1, n);
    peak_leave(peak);
}

static void log_request(void *unused, const char *line)
{
    say("%.*s", (int)strcspn(line + strlen("GET "), " "), line + strlen("GET "));
}

struct visited {
    int times[PAGES + 1], all, depth_most;
};

static void note_page(void *arg, const struct crawled *page)
{
    struct visited *visited = arg;
    int n = atoi(strstr(page->url, "/p") + strlen("/p"));

    must(page->error == 0 && page->answer->status == 200 && n >= 1 && n <= PAGES);
    visited->times[n]++;
    visited->all++;
    visited->depth_most = page->depth > visited->depth_most ? page->depth : visited->depth_most;
}

static void crawler(void)
{
    struct peak peak = {0};
    struct visited visited = {0};
    struct http_logging logged = {{serve_page, &peak}, log_request, NULL};
    struct http_server *server = local_start("/*", http_logging(&logged));
    char start[64], line[16];
    struct crawl what = {start, DEPTH, IN_FLIGHT, 60 * 1000, note_page, &visited};

    snprintf(start, sizeof start, "http://127.0.0.1:%d/p1", http_server_port(server));
    /* "ends by itself" */
    must(crawl(&what, NULL) == 0);
    local_stop(server);
    /* "the visited set is exactly the reachable pages within the depth": 1 to 63 */
    must(visited.all == REACHABLE && visited.depth_most == DEPTH);
    for (int n = 1; n <= REACHABLE; n++) {
        snprintf(line, sizeof line, "/p%d", n);
        /* "each is requested once": so says the server's log */
        must(visited.times[n] == 1 && said_times("%s", line) == 1);
    }
    must(said_lines() == REACHABLE);
    /* "at most 5 are in flight" */
    must(atomic_load(&peak.most) <= IN_FLIGHT);
}

GUIDE_ROW(G133, crawler);
