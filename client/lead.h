/* Between the files that lead and those that call. With the lock. */
#pragma once

#include "call.h"

/* Makes the call's caller run: it is done, or it shall lead. */
void call_wake(struct gc_client *g, struct call *call);
