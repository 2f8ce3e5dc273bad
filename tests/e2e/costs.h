/*
 * The table under "Frames per call" in PROTOCOL.md, and what a call has cost. One client at a time is counted, used by one
 * thread and without a service thread, so that every frame is that of the call, however slow the machine is.
 */
#pragma once

#include "client_fixture.h"

/* A row whose first cell lists functions is one for each of them. */
struct row {
    char key[120]; /* without the backticks */
    unsigned sent, received;
    bool proven;
};

/* False: no such file, or no table in it. */
bool read_table(const char *path);
/* Fails the test where there is none. */
struct row *find_row(const char *key);
/* How many rows no test has looked at; names them. */
int unproven_rows(void);

/* Counts from here. */
extern struct gc_about before;
void count_from(gc_client *g);
int64_t counted_ns(void);

/* Compares with the row. After a second of silence a client tries its connection with a PING: what took so long is not
 * judged. */
void assert_cost(gc_client *g, const char *key);

#define costs(key, call)                                                                                     \
    do {                                                                                                     \
        count_from(g);                                                                                       \
        call;                                                                                                \
        assert_cost(g, key);                                                                                 \
    } while (0)

/* Lets the acknowledgement of the last result leave, which it does by itself in a while. */
void let_ack_leave(gc_client *g);

/* The rows of a worker (costs_worker.c). */
void prove_costs_of_a_worker(gc_client *g);
/* The rows of queues and pools (costs_pool.c). */
void prove_costs_of_queues(gc_client *g);
void prove_costs_of_pools(gc_client *g);
/* The same of feeds (costs_feed.c). */
void prove_costs_of_feeds(gc_client *g, const char *plugin);
/* The rows of schedules (costs_schedule.c), which submit `echo` of this plugin. */
void prove_costs_of_schedules(gc_client *g, const char *plugin);
/* The rows of topics (costs_topic.c). */
void prove_costs_of_topics(gc_client *g);
void prove_costs_of_durable_subscriptions(gc_client *g);
