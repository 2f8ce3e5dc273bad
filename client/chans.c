/*
 * A received handle gets a place in the client's table when the value is handed to the program, not before: what nobody
 * takes goes back to the daemon with its value.
 */
#include "chans.h"

#include <errno.h>
#include <stdlib.h>

#include "goclient_chan.h"
#include "handles.h"

/* How many the values before `end` carry. */
static size_t passed_before(const struct result_block *block, size_t end)
{
    size_t n = 0;
    for (size_t i = 0; i < end; i++)
        n += block->result.values[i].handles_n;
    return n;
}

static void chans_drop(struct gc_client *g, const struct gc_passed *chans, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (chans[i].chan.id)
            handles_remove(g, chans[i].chan.id);
}

static int passed_take(struct gc_client *g, const struct passed *from, struct gc_passed *to)
{
    to->rights = from->rights;
    if (!from->handle)
        return 0;
    to->chan.id = handles_add(g, from->handle);
    return to->chan.id ? 0 : -ENOMEM;
}

int chans_take(struct gc_client *g, struct result_block *block)
{
    size_t all = block ? passed_before(block, block->result.values_n) : 0, n = 0;
    if (!all)
        return 0;
    struct gc_passed *chans = calloc(all, sizeof *chans);
    int r = chans ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < block->result.values_n; i++)
        for (size_t k = 0; r == 0 && k < block->result.values[i].handles_n; k++)
            r = passed_take(g, &block->result.values[i].handles[k], &chans[n++]);
    if (r == 0) {
        block->chans = chans;
        return 0;
    }
    chans_drop(g, chans, chans ? n : 0);
    free(chans);
    return r;
}

void chans_forget(struct gc_client *g, const struct result_block *block, size_t i)
{
    const struct gc_passed *chans = block ? block->chans : NULL;
    if (!chans)
        return;
    size_t first = passed_before(block, i);
    chans_drop(g, chans + first, passed_before(block, block->result.values_n) - first);
}

const struct gc_passed *chans_of(const struct result_block *block, size_t i)
{
    const struct gc_passed *chans = block ? block->chans : NULL;
    return chans && block->result.values[i].handles_n ? chans + passed_before(block, i) : NULL;
}
