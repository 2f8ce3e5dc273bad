/*
 * Host processes and plugin files, away from the hub: starting, ending, looking take time and may block.
 *
 * Threads of its own: one that starts and reaps hosts, and LOOKERS that look at plugin files. All functions here are
 * called on the hub thread and never block, except new, delete and the end of older hosts.
 */
#pragma once

#include "core.h"
#include "host_settings.h"

struct supervisor;

struct supervisor_options {
    const char
        *state; /* state directory: `hosts` holds a record of each running host, `plugins` the copies */
    const char *host_program;              /* path of goroutined-host */
    const char *endpoint;                  /* for hosts to connect to */
    const char *const *plugin_directories; /* NULL: anywhere */
    struct plugin_sections plugins;        /* of the configuration */
    uint64_t plugins_max;                  /* files whose answers are remembered */
};

/* Ends the hosts that an earlier daemon left behind on this state directory, then starts the threads. The strings must
 * outlive it. 0, or a negative errno value with words in *why. */
int supervisor_new(const struct supervisor_options *options, struct supervisor **supervisor, char **why);

/* Kills the hosts that are left, and what looks at plugins, and waits for them. Accepts NULL. */
struct supervisor *supervisor_delete(struct supervisor *supervisor);

/* Readable when supervisor_collect has something. The supervisor's. */
int supervisor_event(const struct supervisor *supervisor);

/* Takes EFFECT_PLUGIN, EFFECT_HOST_START, EFFECT_HOST_KILL; copies what it needs. -ENOMEM: nothing will come of it. */
int supervisor_take(struct supervisor *supervisor, const struct effect *effect);

/* Hands what has happened to `input`: IN_PLUGIN, IN_HOST_UP, IN_HOST_END, in order for each host. With an IN_HOST_UP
 * that is no error comes the daemon's end of the host's lifeline, which is the callee's from then on; else fd is -1. */
typedef void supervisor_input(void *context, const struct input *in, int fd);
void supervisor_collect(struct supervisor *supervisor, supervisor_input *input, void *context);
