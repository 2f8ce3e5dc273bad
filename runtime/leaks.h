/* What of the leaks is found by whom. */
#pragma once

#include <stdbool.h>

#include "dump.h"
#include "goroutine_inspect.h"

/* Whether those of the group (NULL: of the program) that are parked can never run again. A goroutine may yield here. */
bool leaks_proven(const go_group *group);

/* main has returned: the report that the environment asks for. */
void leaks_at_exit(void);
