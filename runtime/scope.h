/* What the rest of the runtime needs of scopes. */
#pragma once

#include "goroutine_sync.h"

/* go_scope_spawn for whoever called at pc; name is shown in dumps. */
int scope_spawn(go_scope *s, void (*fn)(void *arg), const void *arg, size_t arg_bytes, const char *name,
                void *pc);
