/* A look inside the core, apart from sim.h: the core and the client have their own words for the same things. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;
struct secret;

struct left {
    size_t operations, parked, resolved, results, channels, sessions, handles, connections, ended, locks,
        contexts;
};

/* What the core still holds. */
struct left core_left(const struct core *core);

enum core_sight { CORE_NO_SESSION, CORE_NO_OPERATION, CORE_OPERATION };

/* Whether it has this session, and this operation of it. */
enum core_sight core_look(const struct core *core, const struct secret *session, uint64_t op);

/* Whether this run (0: the session itself) has not ended. */
bool core_scope_lives(const struct core *core, const struct secret *session, uint64_t run);

/* Turns on the planted bug of this name. False: there is none, or this build has none. */
bool core_plant(const char *name);
