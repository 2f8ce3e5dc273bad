/* The daemon put together and taken apart. */
#pragma once

#include <signal.h>

#include "hub.h"

/* Opens everything and says READY. `config` outlives the hub; `signals` are blocked in every thread. 0, or a
 * negative errno value with *why (heap): what was wrong and what to do. */
int hub_open(const struct config *config, const sigset_t *signals, struct hub **hub, char **why);
/* Says farewell, ends hosts, stores what waits. Accepts NULL, returns NULL. */
struct hub *hub_close(struct hub *hub);
/* loop.c */
int hub_watch_signals(struct hub *hub, const sigset_t *signals);
