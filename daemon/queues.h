/* The named queues of the configuration: `mail=4,batch=1`, a name and how many of its jobs run at once. */
#pragma once

#include "message.h"

/* Calls `queue` (unless NULL: only checks) for each entry; NULL text has none. 0; -EINVAL with *why naming the
 * entry; or what the callback said, negative, with *why naming the entry too. */
int queues_read(const char *text, int (*queue)(void *context, struct bytes name, uint64_t jobs),
                void *context, char **why);
