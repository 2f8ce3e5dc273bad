/* Select, as single operations see it. */
#pragma once

#include "goroutine.h"

/* A select of one case: what the single call returns. `reason` of the wait, NULL: that of its kind. */
int select_one(struct go_case k, go_until until, const char *reason);

/* A select of no case: ends with `until` only, whose error it returns. */
int select_none(go_until until, const char *reason);
