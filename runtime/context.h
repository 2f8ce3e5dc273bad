/* What the rest of the runtime needs of contexts. */
#pragma once

#include "goroutine.h"

struct go_chan;

/* Closed when the context is done; NULL for one that never ends. Lives as long as the context. */
struct go_chan *ctx_done(go_ctx *ctx);
