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

/* ---- kept records ---- */

struct kept {
    struct kept *next;
};

static size_t steps_of(size_t size)
{
    return (size + KEPT_STEP - 1) / KEPT_STEP;
}

void *core_take(struct core *core, size_t size)
{
    size_t steps = steps_of(size);

    if (!core->memory.keep_bytes || steps >= KEPT_SIZES)
        return core_alloc(core, size);
    struct kept *kept = core->kept[steps];
    if (!kept)
        return core_alloc(core, steps * KEPT_STEP);
    core->kept[steps] = kept->next;
    core->kept_bytes -= steps * KEPT_STEP;
    return memset(kept, 0, size);
}

void core_give(struct core *core, void *p, size_t size)
{
    size_t steps = steps_of(size);
    struct kept *kept = p;

    if (steps >= KEPT_SIZES || core->kept_bytes + steps * KEPT_STEP > core->memory.keep_bytes)
        return core_free(core, p);
    kept->next = core->kept[steps];
    core->kept[steps] = kept;
    core->kept_bytes += steps * KEPT_STEP;
}

void core_keep_nothing(struct core *core)
{
    struct kept *kept;

    for (size_t i = 0; i < KEPT_SIZES; i++)
        while ((kept = core->kept[i])) {
            core->kept[i] = kept->next;
            core_free(core, kept);
        }
    core->kept_bytes = 0;
}
