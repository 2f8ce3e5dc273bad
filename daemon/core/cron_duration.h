/* Durations behind @every, as cron.h describes them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds of the bytes [at, end); what is finer is cut off. False: they are no duration, or none that fits. */
bool cron_duration(const char *at, const char *end, int64_t *ns);
