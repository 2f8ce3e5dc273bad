/* What gc_why, gc_in_doubt and gc_last_op tell: kept per thread. */
#pragma once

#include "goclient.h"

/* Notes a failure and returns it. `text` may be NULL or empty: then the words of gc_strerror. */
int last_failed(int error, const char *text, bool doubt);

/* Whether the call that has ended is in doubt, failed or not. */
void last_doubt(bool doubt);
void last_operation(const uint8_t session[16], uint64_t id);
