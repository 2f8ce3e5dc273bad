/* Select, as single operations see it. */
#pragma once

#include "goroutine.h"

/* A select of one case: what the single call returns. `reason` of the wait, NULL: that of its kind. */
int select_one(struct go_case k, go_until until, const char *reason);
