/*
 * Invariants: every slot of a slab is in use by one goroutine, in one processor's cache, or in the depot of
 * its class: there it is clean, a bit in its slab that says it holds no memory, or in the list of those that hold some.
 * The end of a slot, above every stack, has its slab and the link of the free ones. Guards are installed once, with
 * the slab, and survive MADV_DONTNEED.
 */
#include "stack.h"

#include <assert.h>
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
    COLOUR_BYTES = STACK_TOP_ALIGN,
    WARM_BYTES = 8192, /* kept in a slot that was used deeply */
};

static const size_t class_bytes[STACK_CLASSES] = {16 << 10, 64 << 10, 256 << 10, 1 << 20, 8 << 20};

struct slab {
    struct slab *next;
    char *base;
    size_t bytes;
    unsigned *valgrind_ids;
    uint64_t clean;          /* depot lock: a bit for each slot that holds no memory */
    struct slab *clean_next; /* depot lock: in the list of its class while it has such */
    int class;
};

static_assert(SLAB_SLOTS <= 64, "a slab's slots have a bit each");

/* The end of a slot: that page is warm. It lies above every colour's top. */
struct slot_end {
    struct slab *slab;
    char *link;
};

static struct {
    struct lock lock;
    char *free[STACK_CLASSES];
    struct slab *clean[STACK_CLASSES];
    struct slab *slabs;
    _Atomic int64_t mapped_bytes;
    uint64_t mapped_ever;
    int64_t taken;          /* slots that are not in the depot */
    _Atomic unsigned trim;  /* counts the calls: caches of an older one are to be emptied */
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

static struct slot_end *slot_end(char *low, int class)
{
    return (struct slot_end *)(low + class_bytes[class]) - 1;
}

static char **slot_link(char *low, int class)
{
    return &slot_end(low, class)->link;
}

/* Depot lock held. */
static void slab_clean(struct slab *slab, uint64_t bits)
{
    if (!slab->clean) {
        slab->clean_next = depot.clean[slab->class];
        depot.clean[slab->class] = slab;
    }
    slab->clean |= bits;
}

/* Depot lock held; the class has a clean slot. */
static char *clean_take(int class)
{
    struct slab *slab = depot.clean[class];
    unsigned i = (unsigned)__builtin_ctzll(slab->clean);
    char *low = slab->base + i * class_bytes[class];

    slab->clean &= slab->clean - 1;
    if (!slab->clean)
        depot.clean[class] = slab->clean_next;
    slot_end(low, class)->slab = slab;
    return low;
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
    annotate_stack_free(base, bytes); /* stacks of a runtime that has ended may have lain here */
    slab->next = depot.slabs;
    depot.slabs = slab;
    atomic_fetch_add_explicit(&depot.mapped_bytes, (int64_t)bytes, memory_order_relaxed);
    depot.mapped_ever += bytes;
    slab->class = class;
    for (size_t i = 0; i < n; i++)
        slot_guard(base + i * slot);
    slab_clean(slab, n == 64 ? UINT64_MAX : ((uint64_t)1 << n) - 1);
}

char *stack_top(const char *low, int class)
{
    size_t colour = ((uintptr_t)low / class_bytes[class]) % COLOURS;

    return (char *)(uintptr_t)low + class_bytes[class] - STACK_TOP_ALIGN - colour * COLOUR_BYTES;
}

char *stack_take(struct stack_cache *cache, int class)
{
    char *low;

    if (cache && class == CLASS_DEFAULT && cache->first) {
        low = cache->first;
        cache->first = *slot_link(low, class);
        cache->count--;
        return low;
    }
    lock_take(&depot.lock, RANK_STACK);
    depot.taken++;
    low = depot.free[class];
    if (low) {
        depot.free[class] = *slot_link(low, class);
    } else {
        if (!depot.clean[class])
            slab_map(class);
        low = clean_take(class);
    }
    lock_drop(&depot.lock);
    return low;
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

void stack_give(struct stack_cache *cache, char *low, int class)
{
    annotate_stack_free(stack_bottom(low), stack_usable(low, class));
    if (cache && class == CLASS_DEFAULT && cache->count < CACHE_MAX) {
        *slot_link(low, class) = cache->first;
        cache->first = low;
        cache->count++;
        return;
    }
    slot_trim(low, class);
    lock_take(&depot.lock, RANK_STACK);
    depot.taken--;
    *slot_link(low, class) = depot.free[class];
    depot.free[class] = low;
    lock_drop(&depot.lock);
}

/* ---- giving back ---- */

/* Depot lock held: all that lies free becomes clean. Returns how many slots. */
static int64_t depot_clean(void)
{
    size_t page = stack_guard_bytes();
    int64_t n = 0;

    for (int class = 0; class < STACK_CLASSES; class ++)
        for (char *low; (low = depot.free[class]); n++) {
            struct slab *slab = slot_end(low, class)->slab;

            depot.free[class] = *slot_link(low, class);
            madvise(low + page, class_bytes[class] - page, MADV_DONTNEED);
            slab_clean(slab, (uint64_t)1 << (size_t)(low - slab->base) / class_bytes[class]);
        }
    return n;
}

/* Depot lock held. */
static void cache_empty(struct stack_cache *cache)
{
    char *low;

    while ((low = cache->first)) {
        cache->first = *slot_link(low, CLASS_DEFAULT);
        *slot_link(low, CLASS_DEFAULT) = depot.free[CLASS_DEFAULT];
        depot.free[CLASS_DEFAULT] = low;
        depot.taken--;
    }
    cache->count = 0;
}

int64_t stack_trim(struct stack_cache *cache)
{
    int64_t n;

    lock_take(&depot.lock, RANK_STACK);
    if (cache)
        cache_empty(cache);
    n = depot_clean();
    atomic_fetch_add(&depot.trim, 1);
    lock_drop(&depot.lock);
    return n;
}

void stack_cache_heed(struct stack_cache *cache)
{
    unsigned trim = atomic_load_explicit(&depot.trim, memory_order_relaxed);

    if (cache->trim == trim)
        return;
    cache->trim = trim;
    lock_take(&depot.lock, RANK_STACK);
    cache_empty(cache);
    depot_clean();
    lock_drop(&depot.lock);
}

/* ---- figures ---- */

enum { PAGES_AT_ONCE = 4096 };

static int64_t resident(char *base, size_t bytes)
{
    static unsigned char pages[PAGES_AT_ONCE]; /* depot lock */
    size_t page = stack_guard_bytes();
    int64_t n = 0;

    for (size_t done = 0; done < bytes; done += PAGES_AT_ONCE * page) {
        size_t part = bytes - done < PAGES_AT_ONCE * page ? bytes - done : PAGES_AT_ONCE * page;

        if (mincore(base + done, part, pages) < 0)
            continue;
        for (size_t i = 0; i < part / page; i++)
            n += pages[i] & 1;
    }
    return n * (int64_t)page;
}

void stack_figures_read(struct stack_figures *out)
{
    lock_take(&depot.lock, RANK_STACK);
    *out = (struct stack_figures){
        .taken = depot.taken, .mapped_bytes = stack_bytes_mapped(), .mapped_ever = depot.mapped_ever};
    for (struct slab *slab = depot.slabs; slab; slab = slab->next)
        out->resident_bytes += resident(slab->base, slab->bytes);
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
        depot.free[i] = NULL, depot.clean[i] = NULL;
    depot.taken = 0;
    atomic_store(&depot.mapped_bytes, 0);
}
