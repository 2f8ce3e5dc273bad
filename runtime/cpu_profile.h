/* Where the threads that run goroutines spend their time. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "base/list.h"

/* A thread that is sampled while a profile is taken; it lives on that thread's stack. */
struct sampled {
    struct list link;
    pid_t tid;
    clockid_t clock; /* CPU time of the thread */
    timer_t timer;
    bool timed;
};

/* The calling thread will run goroutines; and it will no more. */
void cpu_profile_join(struct sampled *thread);
void cpu_profile_leave(struct sampled *thread);
