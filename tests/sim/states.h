/* States of jobs on a kept topic: see judge_states.c. */
#pragma once

#include "queue_policy.h"
#include "sim.h"

/* It is a message of a state. */
bool states_has(const struct record *record);
/* Adds the setting to what the configuration says of a queue of this seed. */
void states_add(uint64_t seed, struct policy_part *part);
/* A daemon starts: the topic is kept. */
void states_configure(struct sim *sim, struct core *core);
void states_free(struct sim *sim);
