/* What the families of commands share about values. */
#pragma once

#include <jansson.h>

#include "goclient.h"

/* {"channel": name, "value": …}, with "redelivered" when that holds. NULL: no memory. */
json_t *value_json(const char *name, const struct gc_value *value);
