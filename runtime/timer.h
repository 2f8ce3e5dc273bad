/* The timers of programs: a timer with a channel of one slot, or with a function. */
#pragma once

#include "goroutine.h"

struct go_chan;

/* What select waits on. */
struct go_chan *timer_chan(go_timer *t);
