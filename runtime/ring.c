#include "ring.h"

#include <stddef.h>

bool ring_push(struct ring *ring, struct g *g)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    if (tail - head >= RING_SIZE)
        return false;
    atomic_store_explicit(&ring->slot[tail % RING_SIZE], g, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

struct g *ring_pop(struct ring *ring)
{
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

    for (;;) {
        uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
        struct g *g;

        if (head == tail)
            return NULL;
        g = atomic_load_explicit(&ring->slot[head % RING_SIZE], memory_order_relaxed);
        if (atomic_compare_exchange_weak_explicit(&ring->head, &head, head + 1, memory_order_acq_rel,
                                                  memory_order_acquire))
            return g;
    }
}

uint32_t ring_take_half(struct ring *victim, struct g **out, uint32_t room)
{
    for (;;) {
        uint32_t head = atomic_load_explicit(&victim->head, memory_order_acquire);
        uint32_t tail = atomic_load_explicit(&victim->tail, memory_order_acquire);
        uint32_t n = tail - head;

        n -= n / 2;
        if (n == 0)
            return 0;
        if (n > RING_SIZE / 2) /* head and tail were read at different times */
            continue;
        if (n > room)
            n = room;
        for (uint32_t i = 0; i < n; i++)
            out[i] = atomic_load_explicit(&victim->slot[(head + i) % RING_SIZE], memory_order_relaxed);
        if (atomic_compare_exchange_strong_explicit(&victim->head, &head, head + n, memory_order_acq_rel,
                                                    memory_order_relaxed))
            return n;
    }
}

bool ring_empty(struct ring *ring)
{
    return atomic_load(&ring->head) == atomic_load(&ring->tail);
}
