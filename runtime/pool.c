/*
 * Pool of items for reuse: a few stacks, one for each of the first processors, so that what was put back by a processor is
 * found there, warm and without others in the way. Only who finds its own empty looks into the others, under all locks at
 * once: it makes a new item only if at one instant none was free.
 *
 * Invariant: an item is either in one place of one stack or with one caller.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "goroutine_sync.h"
#include "lock.h"
#include "scheduler.h"

enum { STACKS = 8, STACK_ITEMS = 128 };

struct stack_of_items {
    _Alignas(64) struct lock lock;
    int n; /* lock */
    void *item[STACK_ITEMS];
};

struct go_pool {
    _Atomic int refs;
    void *(*make)(void *arg);
    void (*drop)(void *item);
    void *arg;
    struct stack_of_items stack[STACKS];
};

static_assert(STACKS * STACK_ITEMS == GO_POOL_ITEMS_MAX, "the header says how many are kept");

go_pool *go_pool_new(void *(*make)(void *arg), void (*drop)(void *item), void *arg)
{
    go_pool *p = aligned_alloc(64, sizeof *p);

    if (!p)
        return NULL;
    memset(p, 0, sizeof *p);
    atomic_store(&p->refs, 1);
    p->make = make;
    p->drop = drop;
    p->arg = arg;
    return p;
}

go_pool *go_pool_ref(go_pool *p)
{
    atomic_fetch_add(&p->refs, 1);
    return p;
}

static void item_drop(const go_pool *p, void *item)
{
    if (p->drop)
        p->drop(item);
}

go_pool *go_pool_unref(go_pool *p)
{
    if (!p || atomic_fetch_sub(&p->refs, 1) > 1)
        return NULL;
    for (int i = 0; i < STACKS; i++)
        while (p->stack[i].n > 0)
            item_drop(p, p->stack[i].item[--p->stack[i].n]);
    free(p);
    return NULL;
}

/* Not for long: the goroutine may go on elsewhere. */
static struct stack_of_items *own_stack(go_pool *p)
{
    struct thread *t = thread_self();

    return &p->stack[t && t->proc ? t->proc->index % STACKS : 0];
}

static void *stack_pop(struct stack_of_items *s)
{
    return s->n > 0 ? s->item[--s->n] : NULL;
}

static void *own_take(go_pool *p)
{
    struct stack_of_items *s = own_stack(p);
    void *item;

    lock_take(&s->lock, RANK_CHAN);
    item = stack_pop(s);
    lock_drop(&s->lock);
    return item;
}

static void *any_take(go_pool *p)
{
    void *item = NULL;

    for (int i = 0; i < STACKS; i++)
        lock_take(&p->stack[i].lock, RANK_CHAN);
    for (int i = 0; i < STACKS && !item; i++)
        item = stack_pop(&p->stack[i]);
    for (int i = STACKS; i-- > 0;)
        lock_drop(&p->stack[i].lock);
    return item;
}

void *go_pool_get(go_pool *p)
{
    void *item = own_take(p);

    if (!item)
        item = any_take(p);
    if (!item && p->make)
        item = p->make(p->arg);
    return item;
}

void go_pool_put(go_pool *p, void *item)
{
    struct stack_of_items *s = own_stack(p);
    bool kept;

    if (!item)
        return;
    lock_take(&s->lock, RANK_CHAN);
    kept = s->n < STACK_ITEMS;
    if (kept)
        s->item[s->n++] = item;
    lock_drop(&s->lock);
    if (!kept)
        item_drop(p, item);
}
