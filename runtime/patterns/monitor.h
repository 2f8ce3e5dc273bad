/*
 * A monitor: state behind one lock, and queues of goroutines that wait for it to change, each until its own end.
 * Every pattern that has state of its own is one.
 *
 * Invariants
 *   Between monitor_enter and monitor_leave nothing of the user's runs, nothing waits but in monitor_wait, and no
 * channel, context or other monitor is touched.
 *   Who was notified inside is woken by monitor_leave, after the lock was dropped. A notification that finds the wait
 * over goes to the next in the queue, so none is lost.
 */
#pragma once

#include "goroutine_patterns.h"
#include "queue.h"

struct monitor {
    struct lock lock;
    struct wake_list wakes; /* lock */
    struct bubble *bubble;  /* of its maker; compared, never followed */
    home home;
    const char *what; /* for reports; lives for ever */
};

void monitor_init(struct monitor *m, const char *what);

/* Panics when the monitor is of a bubble and the caller is not in it. */
void monitor_enter(struct monitor *m);
void monitor_leave(struct monitor *m);

/* Enters, unless `until` is over on arrival: then its error, and outside. */
int monitor_enter_until(struct monitor *m, go_until until);

/*
 * Inside: leaves, waits in `queue`, enters again. 0: notified, inside. Negative: as `until` says, and OUTSIDE; the
 * second time that the scope of the goroutine has ended it unwinds. `value` is for who notifies: see monitor_first.
 */
int monitor_wait(struct monitor *m, struct list *queue, void *value, const char *reason, go_until until);

/* The same, and 0 also when `at_ns` has come, if that is not after the deadline of `until`. */
int monitor_wait_at(struct monitor *m, struct list *queue, const char *reason, int64_t at_ns, go_until until);

/* Inside: ends the first wait of the queue that is not over, and answers the `value` of that; NULL for none. Until
 * monitor_leave the waiter cannot go on, so its value may be written. */
void *monitor_first(struct monitor *m, struct list *queue);

/* Inside: ends the first wait, or all. True: there was one. */
bool monitor_notify(struct monitor *m, struct list *queue);
void monitor_notify_all(struct monitor *m, struct list *queue);
