/* The pools of the configuration: what its files and flags set of each. */
#pragma once

#include "pool_settings.h"

struct pool_config {
    char *name;
    char *text; /* NAME=VALUE, a blank between two; the last of a name counts */
};

/* The pool of that name is there from now on. 0; -EINVAL with *why (the name); -ENOMEM. */
int pool_config_add(struct pool_config **pools, size_t *n, struct bytes name, char **why);
/* Sets one value of it; again changes it. 0; -EINVAL with *why (the name, the setting or the value); -ENOMEM. */
int pool_config_set(struct pool_config **pools, size_t *n, struct bytes name, const char *setting,
                    const char *value, char **why);
/* The same for NAME.SETTING=VALUE. */
int pool_config_flag(struct pool_config **pools, size_t *n, const char *text, char **why);
void pool_config_clear(struct pool_config *pools, size_t n);
