/* The host process: one plugin generation, its jobs, its connection to the daemon. */
#pragma once

#include "goclient_host.h"
#include "goroutine.h"
#include "list.h"
#include "plugin_load.h"

struct host {
    struct plugin plugin;
    gc_client *client;
    go_mutex lock;    /* jobs, reporting, draining */
    struct list jobs; /* struct gp_job: runs that have not ended */
    size_t reporting; /* runs that have ended and whose DONE is not stored yet */
    bool draining;    /* no further run starts; the host ends with its last job */
    go_chan *idle;    /* gets a value when a draining host has nothing left */
    go_chan *lost;    /* gets a value when the daemon is gone */
};

/* A run may begin: the host does not drain. If it does, the run goes back to the daemon, for another host. */
bool host_begins(struct host *host);

/* A run leaves the list of jobs, to be reported by the one host_report that follows. */
void host_leave(struct host *host, struct list *job_link);

/* Tells the daemon how a run ended. Copies what `end` points at. Never waits. */
void host_report(struct host *host, const struct gc_host_end *end);
