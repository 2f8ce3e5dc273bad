#include "crawler.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* An address that was seen; in the queue until it is fetched. */
struct page {
    UT_hash_handle hh;
    int depth;
    struct page *next; /* in the queue */
    char url[];
};

/* Between owner and fetchers. The answer passes to the owner. */
struct fetch {
    const struct page *page;
    int error;
    struct http_answer answer;
};

struct owner {
    const struct crawl *what;
    go_ctx *ctx; /* NULL: none */
    struct page *seen, *first, **last;
    int root_bytes; /* of the start: "http://HOST:PORT" */
    int in_flight;
    int error;
};

struct fetcher {
    go_chan *todo, *done;
    const struct crawl *what;
    go_ctx *ctx;
};

/* ---- addresses ---- */

/* Once each: queued if it was not seen before. */
static void owner_add(struct owner *o, const char *url, int depth)
{
    size_t bytes = strlen(url);
    struct page *page;

    HASH_FIND(hh, o->seen, url, bytes, page);
    if (page || depth > o->what->depth_max || HASH_COUNT(o->seen) == CRAWL_ADDRESSES_MAX)
        return;
    page = malloc(sizeof *page + bytes + 1);
    if (!page) {
        o->error = -ENOMEM;
        return;
    }
    page->depth = depth;
    page->next = NULL;
    memcpy(page->url, url, bytes + 1);
    HASH_ADD(hh, o->seen, url, bytes, page);
    *o->last = page;
    o->last = &page->next;
}

static struct page *owner_take(struct owner *o)
{
    struct page *page = o->first;

    o->first = page->next;
    if (!o->first)
        o->last = &o->first;
    return page;
}

/* What a link on `page` means: an address of the same server, or none. */
static bool link_resolve(const struct owner *o, const char *page, const char *link, size_t bytes, char *url)
{
    const char *slash = strrchr(page + o->root_bytes, '/');
    int folder_bytes = slash ? (int)(slash - page) + 1 : o->root_bytes, n;

    if (bytes == 0 || bytes >= HTTP_GET_URL_BYTES_MAX || memchr(link, ':', bytes) || *link == '#')
        return false;
    if (*link == '/')
        folder_bytes = o->root_bytes;
    n = snprintf(url, HTTP_GET_URL_BYTES_MAX, "%.*s%s%.*s", folder_bytes, page,
                 *link != '/' && page[folder_bytes - 1] != '/' ? "/" : "", (int)bytes, link);
    return n < HTTP_GET_URL_BYTES_MAX;
}

/* Every href="…" of a page. */
static void owner_follow(struct owner *o, const struct page *page, const char *text)
{
    static const char mark[] = "href=\"";
    char *url = malloc(HTTP_GET_URL_BYTES_MAX);

    if (!url)
        o->error = -ENOMEM;
    while (url && text && (text = strstr(text, mark))) {
        size_t bytes = strcspn(text += sizeof mark - 1, "\"");

        if (link_resolve(o, page->url, text, bytes, url))
            owner_add(o, url, page->depth + 1);
    }
    free(url);
}

/* ---- fetching ---- */

static struct fetch fetch(const struct crawl *what, const struct page *page, go_ctx *ctx)
{
    struct fetch f = {.page = page};

    f.error = http_get(page->url, &f.answer, go_both(go_after_ms(what->timeout_ms), ctx));
    return f;
}

static void fetcher_run(void *arg)
{
    struct fetcher *me = arg;
    const struct page *page;

    while (go_range(me->todo, &page)) {
        struct fetch f = fetch(me->what, page, me->ctx);

        go_chan_send(me->done, &f, GO_FOREVER); /* there is room for all in flight */
    }
    go_chan_unref(me->todo);
    go_chan_unref(me->done);
}

/* Takes the answer over. */
static void owner_found(struct owner *o, struct fetch *f)
{
    struct crawled page = {f->page->url, f->page->depth, f->error, &f->answer};

    if (!f->error && f->answer.status == 200)
        owner_follow(o, f->page, f->answer.body);
    o->what->found(o->what->arg, &page);
    http_answer_free(&f->answer);
}

static bool owner_goes_on(struct owner *o)
{
    if (!o->error && o->ctx)
        o->error = go_ctx_err(o->ctx);
    return !o->error;
}

/* Hands out what is queued and takes what was found, whichever can be done. */
static void owner_run(struct owner *o, go_chan *todo, go_chan *done)
{
    while (o->in_flight > 0 || (owner_goes_on(o) && o->first)) {
        bool may_send = o->first && owner_goes_on(o) && o->in_flight < o->what->in_flight_max;
        struct page *page = o->first;
        struct fetch f;
        struct go_case cases[] = {GO_RECV(done, &f), GO_SEND(may_send ? todo : NULL, &page)};

        if (go_select(cases, 2, GO_FOREVER) == 1) {
            owner_take(o);
            o->in_flight++;
        } else {
            o->in_flight--;
            owner_found(o, &f);
        }
    }
}

static void owner_run_with_fetchers(struct owner *o)
{
    size_t n = (size_t)o->what->in_flight_max;
    go_chan *todo = go_chan_new(sizeof(struct page *), 0), *done = go_chan_new(sizeof(struct fetch), n);
    struct fetcher fetcher = {todo, done, o->what, o->ctx};
    go_waitgroup fetchers = {0};

    if (!todo || !done)
        go_panic("no memory for %zu fetchers", n);
    for (size_t i = 0; i < n; i++) {
        go_chan_ref(todo);
        go_chan_ref(done);
        if (go_waitgroup_go(&fetchers, fetcher_run, &fetcher, sizeof fetcher) < 0)
            go_panic("cannot start fetcher %zu", i);
    }
    owner_run(o, todo, done);
    go_chan_close(todo);
    go_waitgroup_wait(&fetchers);
    go_chan_unref(todo);
    go_chan_unref(done);
}

static void owner_run_alone(struct owner *o)
{
    while (owner_goes_on(o) && o->first) {
        struct fetch f = fetch(o->what, owner_take(o), o->ctx);

        owner_found(o, &f);
    }
}

int crawl(const struct crawl *what, go_ctx *ctx)
{
    struct owner o = {.what = what, .ctx = ctx, .last = &o.first};
    struct page *page, *after;

    if (strncmp(what->start, "http://", 7) != 0 || what->in_flight_max > CRAWL_IN_FLIGHT_MAX)
        return -EINVAL;
    o.root_bytes = 7 + (int)strcspn(what->start + 7, "/?#");
    owner_add(&o, what->start, 0);
    (what->in_flight_max > 0 ? owner_run_with_fetchers : owner_run_alone)(&o);
    HASH_ITER (hh, o.seen, page, after) {
        HASH_DEL(o.seen, page);
        free(page);
    }
    return o.error;
}
