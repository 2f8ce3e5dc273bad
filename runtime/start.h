/* The life of the runtime in a process. */
#pragma once

#include <stdbool.h>

/* The main goroutine's function has returned: go_main is about to stop everything. */
bool start_main_done(void);

struct g;

/* The face of the thread that is in go_main, NULL if it has none. */
struct g *start_main_face(void);
