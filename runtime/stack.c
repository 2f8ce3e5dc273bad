/*
 * Invariants: every slot of a slab is in use by one goroutine, in one processor's cache, or in the depot of
 * its class. The first word of a free slot's top frame links the free ones. Guards are installed once, with
 * the slab, and survive MADV_DONTNEED.
 */
#include "stack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "annotate.h"
#include "fatal.h"
#include "lock.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#define MADV_NONE_SUCH 0x7ffffff0

enum {
    CLASS_DEFAULT = 1,
    CACHE_MAX = 64,  /* slots a processor keeps */
    SLAB_SLOTS = 64, /* slots mapped at once in the small classes */
    SLAB_BYTES_MAX = 16 << 20,
    COLOURS = 16, /* tops that would share a cache set are moved apart */
    COLOUR_BYTES = 64,
    WARM_BYTES = 8192, /* kept in a slot that was used deeply */
};

static const size_t class_bytes[STACK_CLASSES] = {16 << 10, 64 << 10, 256 << 10, 1 << 20, 8 << 20};

struct slab {
    struct slab *next;
    char *base;
    size_t bytes;
    unsigned *valgrind_ids;
};

static struct {
    struct lock lock;
    char *free[STACK_CLASSES];
    struct slab *slabs;
    _Atomic int64_t mapped_bytes;
    bool guards_by_mapping; /* MADV_GUARD_INSTALL is not known here */
    bool probed;
} depot;

int stack_class_of(size_t bytes)
{
    if (bytes == 0)
        return CLASS_DEFAULT;
    for (int i = 0; i < STACK_CLASSES; i++)
        if (bytes <= class_bytes[i])
            return i;
    return -EINVAL;
}

size_t stack_class_bytes(int class)
{
    return class_bytes[class];
}

size_t stack_guard_bytes(void)
{
    static _Atomic size_t page;
    size_t bytes = atomic_load_explicit(&page, memory_order_relaxed);

    if (bytes == 0) {
        bytes = (size_t)sysconf(_SC_PAGESIZE);
        atomic_store_explicit(&page, bytes, memory_order_relaxed);
    }
    return bytes;
}

/* Whether guards can live in the page tables is a property of the kernel: asked once. An emulator that takes every
 * advice and follows none also takes one that does not exist. */
static bool guards_in_page_tables(void)
{
    size_t page = stack_guard_bytes();
    char *probe = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool works = probe != MAP_FAILED && madvise(probe, page, MADV_NONE_SUCH) < 0 &&
                 madvise(probe, page, MADV_GUARD_INSTALL) == 0;

    if (probe != MAP_FAILED)
        munmap(probe, page);
    return works && !getenv("GOROUTINE_GUARDS_BY_MAPPING");
}

static void depot_probe(void)
{
    if (depot.probed)
        return;
    depot.guards_by_mapping = !guards_in_page_tables();
    depot.probed = true;
}

int64_t stack_count_max(void)
{
    long maps = 65530;
    FILE *f;

    lock_take(&depot.lock, RANK_STACK);
    depot_probe();
    lock_drop(&depot.lock);
    if (!depot.guards_by_mapping)
        return INT64_MAX;
    f = fopen("/proc/sys/vm/max_map_count", "re");
    if (f) {
        if (fscanf(f, "%ld", &maps) != 1 || maps < 2002)
            maps = 2002;
        fclose(f);
    }
    return (maps - 1000) / 2;
}

int64_t stack_bytes_mapped(void)
{
    return atomic_load_explicit(&depot.mapped_bytes, memory_order_relaxed);
}

static void slot_guard(char *low)
{
    size_t page = stack_guard_bytes();
    int r = depot.guards_by_mapping ? mprotect(low, page, PROT_NONE) : madvise(low, page, MADV_GUARD_INSTALL);

    if (r < 0)
        fatal("no guard for a stack (%m): %lld bytes of stacks are mapped; raise vm.max_map_count or lower "
              "go_set_goroutines_max",
              (long long)stack_bytes_mapped());
}

/* The link of a free slot lies at its very end: that page is warm, and above every colour's top. */
static char **slot_link(char *low, int class)
{
    return (char **)(low + class_bytes[class] - sizeof(char *));
}

/* Depot lock held. */
static void slab_map(int class)
{
    size_t slot = class_bytes[class];
    size_t n = slot * SLAB_SLOTS <= SLAB_BYTES_MAX ? SLAB_SLOTS : SLAB_BYTES_MAX / slot;
    size_t bytes = slot * n;
    struct slab *slab = calloc(1, sizeof *slab);
    char *base =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (!slab || base == MAP_FAILED)
        fatal("no memory for stacks (%m): %lld bytes are mapped; lower go_set_goroutines_max",
              (long long)stack_bytes_mapped());
    madvise(base, bytes,
            MADV_NOHUGEPAGE); /* a huge page under each slab would make every parked stack resident */
    depot_probe();
    slab->base = base;
    slab->bytes = bytes;
    slab->valgrind_ids = annotate_stacks(base, slot, n);
    slab->next = depot.slabs;
    depot.slabs = slab;
    atomic_fetch_add_explicit(&depot.mapped_bytes, (int64_t)bytes, memory_order_relaxed);
    for (size_t i = n; i-- > 0;) {
        char *low = base + i * slot;

        slot_guard(low);
        *slot_link(low, class) = depot.free[class];
        depot.free[class] = low;
    }
}

static struct stack slot_stack(char *low, int class)
{
    size_t colour = ((uintptr_t)low / class_bytes[class]) % COLOURS;

    return (struct stack){.low = low,
                          .top = low + class_bytes[class] - 64 - colour * COLOUR_BYTES,
                          .class = (unsigned char)class};
}

struct stack stack_take(struct stack_cache *cache, int class)
{
    char *low;

    if (cache && class == CLASS_DEFAULT && cache->first) {
        low = cache->first;
        cache->first = *slot_link(low, class);
        cache->count--;
        return slot_stack(low, class);
    }
    lock_take(&depot.lock, RANK_STACK);
    if (!depot.free[class])
        slab_map(class);
    low = depot.free[class];
    depot.free[class] = *slot_link(low, class);
    lock_drop(&depot.lock);
    return slot_stack(low, class);
}

/* Reading a page that was never written costs no memory; a word other than 0 says that the stack went this
 * deep. */
ANNOTATE_UNCHECKED static bool slot_was_deep(const char *low, int class)
{
    const volatile uint64_t *word = (const volatile uint64_t *)(low + class_bytes[class] - WARM_BYTES);

    for (int i = 1; i <= 64; i++)
        if (word[-i])
            return true;
    return false;
}

static void slot_trim(char *low, int class)
{
    size_t page = stack_guard_bytes();

    if (class_bytes[class] > WARM_BYTES + page && slot_was_deep(low, class))
        madvise(low + page, class_bytes[class] - WARM_BYTES - page, MADV_DONTNEED);
}

void stack_give(struct stack_cache *cache, struct stack stack)
{
    annotate_stack_free(stack_bottom(&stack), stack_usable(&stack));
    if (cache && stack.class == CLASS_DEFAULT && cache->count < CACHE_MAX) {
        *slot_link(stack.low, stack.class) = cache->first;
        cache->first = stack.low;
        cache->count++;
        return;
    }
    slot_trim(stack.low, stack.class);
    lock_take(&depot.lock, RANK_STACK);
    *slot_link(stack.low, stack.class) = depot.free[stack.class];
    depot.free[stack.class] = stack.low;
    lock_drop(&depot.lock);
}

void stack_release_all(void)
{
    while (depot.slabs) {
        struct slab *slab = depot.slabs;

        depot.slabs = slab->next;
        annotate_stacks_end(slab->valgrind_ids);
        munmap(slab->base, slab->bytes);
        free(slab);
    }
    for (int i = 0; i < STACK_CLASSES; i++)
        depot.free[i] = NULL;
    atomic_store(&depot.mapped_bytes, 0);
}
