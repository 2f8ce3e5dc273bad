/*
 * A host whose connections pass through a proxy, and plugins that are described when the test says so. The daemon starts
 * shim.c in place of goroutined-host.
 *
 * Everything by the thread of the tester, but hosted_job and hosted_release. What fails ends the program with words.
 */
#pragma once

#include "daemon_node.h"
#include "goclient.h"
#include "proxy.h"

/* The flag of the daemon, behind "--host-program"; the environment is set for it. Before the daemon starts. */
char *hosted_program(const struct node *node);
/* The daemon is there; `plugin` is what the hosts run; `observer` asks. */
void hosted_open(gc_client *observer, const char *plugin);

/* A file of the plugin that the daemon does not know yet: its path, good until the next one is made. */
const char *hosted_new_plugin(void);

/* From now on the next job has a new host, behind a proxy of its own. Nothing is started. */
struct proxy *hosted_expect(void);
/* Starts it, by a job that ends. */
void hosted_start(void);
/* It is killed, and the daemon has noticed. */
void hosted_end(void);
struct proxy *hosted_proxy(void);
/* 0: it has not come. */
pid_t hosted_pid(void);

/* Submits a job of this function to the host. */
gc_job hosted_submit(const char *function, const char *argument);
/* The same, and waits for its end: how it ended, as gc_wait. *out (or NULL) is its result, as text. */
int hosted_job(const char *function, const char *argument, char out[64]);

/* No plugin is described, until hosted_release. */
void hosted_hold(void);
void hosted_release(void);
