/* The allocator seam: all memory of the core comes through here, except records, which change threads. */
#include <stdlib.h>
#include <string.h>

#include "core_internal.h"

void *core_resize(struct core *core, void *p, size_t size)
{
    return core->memory.resize(core->memory.context, p, size);
}

void *core_alloc(struct core *core, size_t size)
{
    void *p = core_resize(core, NULL, size);

    return p ? memset(p, 0, size) : NULL;
}

void core_free(struct core *core, void *p)
{
    if (p)
        core_resize(core, p, 0);
}
