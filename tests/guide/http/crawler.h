/*
 * A crawler: every page of one server that can be reached over links, each asked for once.
 *
 * Pattern: one goroutine owns the set of visited addresses and the queue; fetchers take addresses from it over one
 * channel and answer with what they found over another. It ends by itself, when nothing is queued and nobody fetches.
 */
#pragma once

#include "client.h"

enum {
    CRAWL_ADDRESSES_MAX = 100000, /* further ones are not followed */
    CRAWL_IN_FLIGHT_MAX = 1024,
};

/* What became of one address. `answer` lives until the call returns. */
struct crawled {
    const char *url;
    int depth; /* links from the start */
    int error; /* 0: there is an answer */
    const struct http_answer *answer;
};

struct crawl {
    const char *start;  /* http://HOST:PORT/… */
    int depth_max;      /* links further away are not followed */
    int in_flight_max;  /* requests at once; 0: no fetchers, all is done by the caller */
    int64_t timeout_ms; /* of one request */
    void (*found)(void *arg, const struct crawled *page); /* called by one goroutine */
    void *arg;
};

/* 0 when all is visited; -ECANCELED or -ETIMEDOUT when `ctx` (may be NULL) was done first; -ENOMEM; -EINVAL. All
 * fetchers have ended when it returns. */
int crawl(const struct crawl *crawl, go_ctx *ctx);
