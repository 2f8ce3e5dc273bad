/* The rules of topics in the configuration: what its files and flags set of the topics that match a pattern. */
#pragma once

#include "topic_policy.h"

struct topic_config {
    char *pattern;
    struct topic_part part;
};

/* The rule of that pattern is there from now on. 0; -EINVAL with *why (the pattern); -ENOMEM. */
int topic_config_add(struct topic_config **topics, size_t *n, struct bytes pattern, char **why);
/* Sets one value of it; again changes it. 0; -EINVAL with *why (the pattern, the setting or the value); -ENOMEM. */
int topic_config_set(struct topic_config **topics, size_t *n, struct bytes pattern, const char *setting,
                     const char *value, char **why);
/* The same for PATTERN.SETTING=VALUE. */
int topic_config_flag(struct topic_config **topics, size_t *n, const char *text, char **why);
void topic_config_clear(struct topic_config *topics, size_t n);
