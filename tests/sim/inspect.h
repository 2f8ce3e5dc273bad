/* A look inside the core, apart from sim.h: the core and the client have their own words for the same things. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct core;

struct left {
    size_t operations, parked, resolved, results, channels, sessions, handles, connections, ended;
};

/* What the core still holds. */
struct left core_left(const struct core *core);

/* Turns on the planted bug of this name. False: there is none, or this build has none. */
bool core_plant(const char *name);
