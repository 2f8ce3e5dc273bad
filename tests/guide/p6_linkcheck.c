/*
 * linkcheck URL: asks once for every page of a server that can be reached over links from URL, and prints the status and
 * the path of each, sorted by path. The exit status is 1 if there was one without an answer, which has the status 0.
 *
 * Pattern: crawler. One goroutine owns the visited set, N fetch (http/crawler.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/crawler.h"
#include "program.h"

enum { TIMEOUT_MS = 10 * 1000 };

struct link {
    char *path; /* behind "http://HOST:PORT/" */
    int status;
};

struct links {
    struct link *all;
    size_t n, room;
    int status;
};

static void note_link(void *arg, const struct crawled *page)
{
    struct links *links = arg;
    const char *path = strchr(page->url + strlen("http://"), '/');

    if (links->n == links->room) {
        links->room = links->room ? 2 * links->room : 256;
        links->all = must_realloc(links->all, links->room * sizeof *links->all);
    }
    links->all[links->n] = (struct link){strdup(path ? path + 1 : ""), page->answer->status};
    if (!links->all[links->n++].path)
        go_panic("no memory for a path");
    if (page->error) {
        program_error(page->url, page->error);
        links->status = STATUS_FAILED;
    }
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct link *)a)->path, ((const struct link *)b)->path);
}

static int linkcheck(const struct program *p)
{
    struct links links = {0};
    struct crawl what = {.start = p->operands[0],
                         .depth_max = CRAWL_ADDRESSES_MAX,
                         .in_flight_max = p->sequential ? 0 : p->workers,
                         .timeout_ms = TIMEOUT_MS,
                         .found = note_link,
                         .arg = &links};
    int r = crawl(&what, NULL);

    if (r < 0) {
        program_error(p->operands[0], r);
        links.status = STATUS_FAILED;
    }
    if (links.n > 0)
        qsort(links.all, links.n, sizeof *links.all, by_path);
    for (size_t i = 0; i < links.n; i++) {
        fprintf(program_out(), "%d %s\n", links.all[i].status, links.all[i].path);
        free(links.all[i].path);
    }
    free(links.all);
    return links.status;
}

int main(int argc, char **argv)
{
    return program_main(argc, argv, "URL", NULL, linkcheck);
}
