/* A context as the client sees it: a mark that anybody may set, at any time. */
#pragma once

#include <stdatomic.h>

#include "goclient.h"

struct gc_ctx {
    gc_client *g;
    atomic_bool done;
};
