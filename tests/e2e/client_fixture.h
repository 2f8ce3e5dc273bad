/* What every end-to-end test of the client begins with: a daemon for the program, a client for each test. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node.h"

/* The call returns `error`; shows in words what it said instead. */
#define assert_fails(call, error)                                                                            \
    do {                                                                                                     \
        int r_ = (call);                                                                                     \
        if (r_ != (error))                                                                                   \
            print_error("%s: %d, not %d: %s\n", #call, r_, (error), r_ < 0 ? gc_why() : "");                 \
        assert_int_equal(r_, (error));                                                                       \
    } while (0)
#define assert_ok(call) assert_fails(call, 0)

/* Clears *v after looking. */
static inline void assert_value(struct gc_value *v, const char *text)
{
    assert_int_equal(v->size, strlen(text));
    assert_memory_equal(v->data, text, v->size);
    gc_value_clear(v);
}

static inline gc_chan make(gc_client *g, const char *name, uint64_t capacity)
{
    gc_chan c;
    assert_ok(gc_make(g, name, capacity, &c, GC_FOREVER));
    return c;
}
