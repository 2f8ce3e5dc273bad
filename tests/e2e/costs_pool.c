/* The rows of what is asked of queues and pools. */
#include "costs.h"
#include "goclient_pool.h"
#include "goclient_queue.h"

void prove_costs_of_queues(gc_client *g)
{
    struct gc_stats rows = {0};

    costs("gc_queues", assert_int_equal(gc_queues(g, NULL, NULL, &rows, GC_FOREVER), 1));
    gc_stats_clear(&rows);
    costs("gc_queue_info", assert_true(gc_queue_info(g, "default", &rows, GC_FOREVER) > 0));
    gc_stats_clear(&rows);
    costs("gc_queue_set", assert_ok(gc_queue_set(g, "default", "weight=2", GC_FOREVER)));
    costs("gc_queue_pause", assert_ok(gc_queue_pause(g, "default", GC_PAUSE_END, 0, GC_FOREVER)));
    costs("gc_queue_purge", assert_int_equal(gc_queue_purge(g, "default", GC_FOREVER), 0));
    assert_int_equal(gc_queue_set(g, "made", "", GC_FOREVER), 1);
    costs("gc_queue_remove", assert_ok(gc_queue_remove(g, "made", GC_FOREVER)));
}

void prove_costs_of_pools(gc_client *g)
{
    struct gc_stats rows = {0};

    costs("gc_pool_set", assert_ok(gc_pool_set(g, "p", "queues=nowhere hosts=2", GC_FOREVER)));
    costs("gc_pools", assert_int_equal(gc_pools(g, NULL, NULL, &rows, GC_FOREVER), 1));
    gc_stats_clear(&rows);
    costs("gc_pool_info", assert_true(gc_pool_info(g, "p", &rows, GC_FOREVER) > 0));
    gc_stats_clear(&rows);
    costs("gc_pool_drain", assert_ok(gc_pool_drain(g, "p", GC_POOL_DRAIN, GC_FOREVER)));
    costs("gc_pool_remove", assert_ok(gc_pool_remove(g, "p", GC_FOREVER)));
}
