/* A command that runs while goctl holds something for it. */
#pragma once

#include <stdint.h>

#include "session.h"

/*
 * Runs argv (NULL ends it), found by PATH, with our input and output, and waits for its end. A signal that ends goctl is
 * passed on to it once, and its end waited for all the same. The exit status of the command, 128 + the signal that it died
 * of, or 127 (not found) or 126 (cannot be run) after the reason was told.
 */
int child_run(char *const *argv);

/* Tells the commands that will run a number: `name` in their environment. 0 or -ENOMEM. */
int child_tell(const char *name, uint64_t value);
