/*
 * A thread that looks at the processors once a millisecond while any of them runs: work that lies in front of
 * a sleeping processor, timers and descriptors nobody looks after, and goroutines that keep a processor (H4).
 */
#pragma once

#include <stdbool.h>

int watchdog_start(void);
void watchdog_stop(void);

/* 1 or 0. */
int watchdog_threads(void);

/* A processor has left its sleep. */
void watchdog_kick(void);
