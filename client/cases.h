/* The cases of a select as the daemon sees them: those that can never be ready are left out. */
#pragma once

#include "call.h"

struct cases {
    struct select_case *wire;
    size_t *from; /* the program's index of each */
    size_t n;
};

/* 0, -ENOMEM, -E2BIG: over GC_CASES_MAX. To be destroyed in any case. */
int cases_create(struct cases *cases, const struct gc_case *from, size_t n);
/* The program's index, + 1, of the send that a result says is in doubt (IP5.2); 0: none. */
size_t cases_doubt(const size_t *from, const struct result *result);
/* Whether one of the cases took effect, be it that it met a closed channel, or a subscription that was disconnected. */
bool cases_met(int status, const struct result *result);
void cases_destroy(struct cases *cases);
