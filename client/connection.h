/*
 * One client: its protocol, its connection, and who moves them.
 *
 * Everything is under `lock`, but what says otherwise. Whoever has something to send sends it himself; whoever
 * waits first leads: waits for the descriptors with the lock given up, and moves the protocol for all. On
 * leaving, a leader wakes exactly one other to lead. The service thread does what is due while nobody waits, and
 * always leads where callers cannot (goroutines).
 *
 * Lock order: only this one. It is never held over a wait, a callback of the user, or a wake-up.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "address.h"
#include "goclient_host.h"
#include "lifeline.h"
#include "protocol.h"
#include "transport.h"

enum {
    CLIENT_ANSWER_MS = 5000, /* defaults of struct gc_options */
    CLIENT_RECONNECT_MS = 10000,
    CLIENT_RETRY_MS = 10, /* first delay before a daemon that is gone is looked for again; doubles */
    CLIENT_RETRY_MAX_MS = 500,
    CLIENT_BYE_MS = 500, /* how long a farewell is waited for */
    CLIENT_QUIET_NS =
        1000000,        /* without a call, before the service thread listens for the ends of contexts */
    CLIENT_FULL_MS = 5, /* when to try again what a daemon did not take, where nobody waits for room */
};

enum link_state {
    LINK_DOWN,     /* no session */
    LINK_GREETING, /* the lifeline is connected, its greeting has not come */
    LINK_UP,       /* session and transport are there */
    LINK_LOST,     /* for good */
};

struct handle {
    uint64_t remote;  /* the daemon's; 0: free */
    uint64_t session; /* ordinal of the session it belongs to */
    uint32_t uses;    /* of this place, so far */
    uint32_t next;    /* place of the next free one; 0: none */
};

struct gc_client {
    pthread_mutex_t lock;
    unsigned forks; /* of the process that made it */
    const struct gc_waiting *waiting;
    struct protocol *protocol;
    struct wire *wire;

    /* The link: connection.c */
    enum link_state link;
    char endpoint[ADDRESS_BYTES];
    const char *endpoint_from; /* where the endpoint came from, in words */
    char lifeline_path[ADDRESS_BYTES + 8];
    int lifeline;        /* or -1 */
    bool lifeline_stirs; /* it was seen readable */
    struct lifeline_news news;
    struct transport *transport;
    struct transport_keys keys; /* of tcp */
    bool zmq_wanted;            /* lane=zmq here: frames never use the lifeline */
    bool zmq_only;              /* or, as the daemon of this session said */
    bool transport_full;        /* its descriptor is watched for room */
    uint64_t frames_sent, frames_received;
    int transport_fd;       /* of the local lane the lifeline itself */
    bool connecting;        /* inside gc_connect: failures are told, not retried */
    bool single;            /* a host: one session, on an inherited lifeline */
    int link_error;         /* why connecting failed */
    char why[GC_WHY_BYTES]; /* the same in words; how the last session ended */
    uint64_t sessions;      /* so far; ordinal of the present one */
    int64_t absent_ns, answer_ns, reconnect_ns;
    int64_t retry_ns, retry_delay_ns; /* when to look for the daemon again */
    int64_t give_up_ns;               /* 0: nobody has asked for a session yet */
    int64_t answer_by_ns;             /* PROTOCOL_NEVER, or when the session must be live */

    /* Who moves it: lead.c */
    int epoll_fd, event_fd; /* event_fd may be written without the lock, also in signal handlers */
    bool led;               /* somebody is in epoll_wait, until leader_until_ns */
    bool kick;              /* the leader must look again */
    bool listens; /* the service thread does, until listen_until_ns; whoever has to wait leads beside it */
    int64_t leader_until_ns, listen_until_ns;
    struct list waiters; /* struct call: those that wait, in the order they came */
    struct list wakes;   /* struct call: to be made ready when the lock is given up */
    struct list bound;   /* struct call: those with a context */
    atomic_uint cancels; /* of contexts, ever; without the lock */
    unsigned cancels_seen;
    bool promised;                  /* gc_callers: calls say that their caller does nothing else */
    uint64_t calls;                 /* inside */
    uint64_t entries, entries_seen; /* public calls so far, and when the service thread last looked */
    bool closing;                   /* `closer` is to be made ready by the last of them */
    struct gc_wait closer;

    /* The service thread: service.c */
    bool has_thread, service_leads, stopping;
    int listen_fd; /* wakes it where it listens; or -1 */
    pthread_t thread;
    pthread_cond_t service;
    int64_t service_until_ns; /* it sleeps until then; 0: it does not sleep */
    struct list deliveries;   /* struct delivery, in the order of the daemon */
    bool starved; /* one of them could not be kept, or a word to the daemon not be sent: the session ends */
    struct list starts; /* struct start: operations that call back */
    struct start *starts_by_id;
    struct list ends;      /* struct call by `wake`: those of them that have ended, to be told */
    uint64_t starts_n;     /* so far */
    struct list windows;   /* struct gc_window */
    struct list contexts;  /* gc_ctx of the daemon */
    struct list funcs_due; /* struct gc_context_func whose context is over */
    uint64_t watches;      /* contexts whose end will come unasked: somebody leads or listens */

    struct handle *handles;
    uint32_t handles_n, handles_max, handles_free; /* handles_free: place (index + 1) of a free one */

    /* Host */
    struct gc_host_options host;
    bool reserved;
    int lost_error; /* how its session ended; 0: it has not */
    bool lost_told;

    char program[64], boot_id[64]; /* of HELLO */
};

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t now_ns(void);

/* In all but the process that made the client: a fork. */
bool client_forked(const struct gc_client *g);

/* ---- connection.c: the link, and frames in and out. With the lock ---- */

/* Takes what came, does what is due, sends what is ready. When to call again, absolute or PROTOCOL_NEVER. */
int64_t client_pump(struct gc_client *g);

/* A descriptor of the link was seen ready. */
void client_stir(struct gc_client *g, int fd);

/* `next`, or sooner while the daemon has not taken everything. */
int64_t client_retry(const struct gc_client *g, int64_t next);

/* Sends what is ready, and nothing else. */
void client_flush(struct gc_client *g);

/* Closes lifeline and transport. */
void link_close(struct gc_client *g);

/* ---- lead.c ---- */

void client_lock(struct gc_client *g);
/* Gives the lock up, then wakes whoever is to be woken. */
void client_unlock(struct gc_client *g);

/* The same around a public call: gc_disconnect waits until every one has left. */
void client_enter(struct gc_client *g);
void client_leave(struct gc_client *g);

/* Leads until something happened, or until `until_ns`: the lock is given up meanwhile. How many descriptors
 * were ready. */
int client_lead(struct gc_client *g, int64_t until_ns);

/* The same for the service thread, which listens while nobody calls: a caller that comes meanwhile leads, without having to
 * be woken, and then has what there is. */
void client_listen(struct gc_client *g, int64_t until_ns);

/* The caller stops waiting: somebody else leads, or the service thread is told when to. */
void client_pass_on(struct gc_client *g);
