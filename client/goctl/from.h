/* Where a subscription begins, as people write it. */
#pragma once

#include "goclient_topic.h"

/* Now, as from_parse wants it. */
int64_t from_now_us(void);

/* "start", "now", "last", a sequence, a time, or a duration: so long before `now_us`. 0, or -EINVAL. */
int from_parse(const char *text, int64_t now_us, struct gc_subscribe_options *options);
