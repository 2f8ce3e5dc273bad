/* What of the leaks is found by whom. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dump.h"
#include "goroutine_inspect.h"

/* Goroutines that can never run again. */
struct proof {
    bool all;      /* every one that is parked */
    uint64_t *ids; /* else these, rising */
    size_t n;
};

/* Of those in the census. 0 or -ENOMEM; free it either way. Nothing found is no error. */
int proof_find(struct proof *proof, const struct census *census, const go_group *group);
bool proof_has(const struct proof *proof, uint64_t id);
void proof_free(struct proof *proof);

/* main has returned: the report that the environment asks for. */
void leaks_at_exit(void);
