/* How a waiting operation is shown, by every command that does. */
#pragma once

#include "goclient_inspect.h"
#include "output.h"

#define PARKED_TITLE "SESSION      PID   UID PROGRAM            AGE   LEFT WAITS FOR       OBJECT"

/* NULL: no memory. */
json_t *parked_json(const struct gc_parked *row);
void parked_line(const struct gc_parked *row);
