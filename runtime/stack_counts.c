/* Invariants: a hash table with open addressing, never more than half full; slots are taken and never given back. */
#include "stack_counts.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int stack_counts_init(struct stack_counts *c, size_t room)
{
    size_t slots = 2;

    while (slots < 2 * room)
        slots *= 2;
    c->slot = mmap(NULL, slots * sizeof *c->slot, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (c->slot == MAP_FAILED) {
        c->slot = NULL;
        return -ENOMEM;
    }
    c->slots = slots;
    c->room = room;
    c->used = 0;
    return 0;
}

void stack_counts_free(struct stack_counts *c)
{
    if (c->slot)
        munmap(c->slot, c->slots * sizeof *c->slot);
    c->slot = NULL;
}

static size_t hash(void *const *frames, int n)
{
    uint64_t h = (uint64_t)n;

    for (int i = 0; i < n; i++)
        h = (h ^ (uint64_t)(uintptr_t)frames[i]) * 0x9e3779b97f4a7c15u;
    return (size_t)(h ^ h >> 32);
}

bool stack_counts_add(struct stack_counts *c, void *const *frames, int n, uint64_t count, uint64_t amount)
{
    size_t bytes = (size_t)(n = n < GO_FRAMES_MAX ? n : GO_FRAMES_MAX) * sizeof *frames;
    size_t i = hash(frames, n) % c->slots;

    for (; c->slot[i].count; i = (i + 1) % c->slots)
        if (c->slot[i].n == n && memcmp(c->slot[i].frame, frames, bytes) == 0) {
            c->slot[i].count += count;
            c->slot[i].amount += amount;
            return true;
        }
    if (c->used == c->room)
        return false;
    c->used++;
    c->slot[i].n = n;
    memcpy(c->slot[i].frame, frames, bytes);
    c->slot[i].count = count;
    c->slot[i].amount = amount;
    return true;
}

int stack_counts_copy(const struct stack_counts *from, struct stack_counts *to)
{
    int r = stack_counts_init(to, from->room);

    for (size_t i = 0; r == 0 && i < from->slots; i++)
        if (from->slot[i].count)
            to->slot[i] = from->slot[i];
    if (r == 0)
        to->used = from->used;
    return r;
}
