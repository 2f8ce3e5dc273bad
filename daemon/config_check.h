/* What a configuration must hold beyond the form of its values. */
#pragma once

#include "config.h"
#include "core.h"

/* Fills in what was left to defaults that depend on the machine, and checks all. 0, -EINVAL with *why, -ENOMEM. */
int config_check(struct config *config, char **why);
/* Of a checked configuration. */
enum log_level config_log_level(const struct config *config);
unsigned config_socket_mode(const struct config *config);
