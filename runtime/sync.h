/* What the public types of the locks hide: for sync.c, and for reports of who waits for what. */
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "goroutine_sync.h"
#include "lock.h"
#include "queue.h"

struct mutex {
    _Atomic uint32_t word;
    struct lock lock;
    struct list waiters;
    uint64_t locker; /* the last one, for reports only (M3) */
};

struct cond {
    struct lock lock;
    struct list waiters;
    _Atomic(const void *) self; /* copy_check */
    home home;                  /* home_note */
};

struct waitgroup {
    struct lock lock;
    int64_t n; /* lock */
    struct list waiters;
    _Atomic(const void *) self;
    home home;
    struct g *woken; /* lock: one waiter of the last round, and its wait */
    uint64_t woken_ticket;
};

struct once {
    struct lock lock;
    _Atomic uint32_t done;
    bool running; /* lock */
    struct list waiters;
    _Atomic(const void *) self;
};

struct semaphore {
    int64_t size;
    int64_t held; /* lock */
    struct lock lock;
    struct list waiters; /* struct want.waiter */
    _Atomic(const void *) self;
    home home;
};

static_assert(sizeof(struct mutex) <= sizeof(go_mutex), "go_mutex has room for it");
static_assert(sizeof(struct cond) <= sizeof(go_cond), "go_cond has room for it");
static_assert(sizeof(struct waitgroup) <= sizeof(go_waitgroup), "go_waitgroup has room for it");
static_assert(sizeof(struct once) <= sizeof(go_once), "go_once has room for it");
static_assert(sizeof(struct semaphore) <= sizeof(go_semaphore), "go_semaphore has room for it");
static_assert(offsetof(struct semaphore, size) == offsetof(go_semaphore, size),
              "the size is where the user sets it");

/* go_waitgroup_wait with flags of waiting.h: WAIT_MASKED for what the end of the scope must not cut short. */
void waitgroup_wait(go_waitgroup *group, unsigned flags);
