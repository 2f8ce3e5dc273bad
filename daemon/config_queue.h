/* The queues of the configuration: what its files and flags set of each. */
#pragma once

#include "queue_policy.h"

struct queue_config {
    char *name;
    struct policy_part part;
};

/* The queue of that name is there from now on. 0; -EINVAL with *why (the name); -ENOMEM. */
int queue_config_add(struct queue_config **queues, size_t *n, struct bytes name, char **why);
/* Sets one value of it; again changes it. 0; -EINVAL with *why (the name or the value); -ENOMEM. */
int queue_config_set(struct queue_config **queues, size_t *n, struct bytes name, enum policy_field field,
                     const char *value, char **why);
/* The same for NAME.SETTING=VALUE. -EINVAL also when there is no such setting. */
int queue_config_flag(struct queue_config **queues, size_t *n, const char *text, char **why);
void queue_config_clear(struct queue_config *queues, size_t n);
