/* An HTTP client for the examples: one GET, one connection. Called from goroutines. */
#pragma once

#include <stddef.h>

#include "goroutine.h"

enum {
    HTTP_GET_URL_BYTES_MAX = 4096,
    HTTP_GET_BODY_BYTES_MAX = 16 << 20, /* of an answer */
};

struct http_answer {
    int status;
    char *body; /* ends with a zero byte; NULL when there is none */
    size_t body_bytes;
};

/*
 * Asks for http://HOST[:PORT][/PATH][?QUERY]. 0: there is an answer, whatever its status, to be freed with
 * http_answer_free. Otherwise there is none:
 *     -EINVAL        not such an address, or too long
 *     -ECONNREFUSED, -ENOENT (no such host), or what go_dial says
 *     -EPROTO        what came back is not HTTP, or ended too early
 *     -EMSGSIZE      it is too large
 *     -ETIMEDOUT, -ECANCELED as `until` says
 */
int http_get(const char *url, struct http_answer *answer, go_until until);
void http_answer_free(struct http_answer *answer);
