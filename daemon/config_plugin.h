/* The plugins of the configuration: what its files and flags set of the hosts of each. */
#pragma once

#include "host_settings.h"

/* There is a section for that path from now on, which is followed through symbolic links; or for `default`. 0; -EINVAL
 * with *why (the path); -ENOMEM. */
int plugin_config_add(struct plugin_settings **plugins, size_t *n, const char *path, char **why);
/* Sets one value of it; again changes it. 0; -EINVAL with *why (the path or the value); -ENOMEM. */
int plugin_config_set(struct plugin_settings **plugins, size_t *n, const char *path, enum host_setting field,
                      const char *value, char **why);
/* The same for PATH.SETTING=VALUE. -EINVAL also when there is no such setting. */
int plugin_config_flag(struct plugin_settings **plugins, size_t *n, const char *text, char **why);
void plugin_config_clear(struct plugin_settings *plugins, size_t n);
