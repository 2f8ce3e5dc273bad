/* How `goctl sub` shows a message. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "goclient_topic.h"

struct options;

/* All there is to know of it; what it does not have is left out. NULL: no memory. */
json_t *message_json(const struct gc_message *message, const struct gc_value *value);

/* As --format, --headers, --time and --raw say, with its topic in front; not flushed. 0, or a negative errno value of the
 * write. */
int message_print(const struct options *options, bool topic, const struct gc_message *message,
                  const struct gc_value *value);

/* Whether --format can be used: NULL, or from where on it cannot. */
const char *message_format_error(const char *format);
