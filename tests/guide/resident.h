/* How much memory this process has, as the system counts it. */
#pragma once

#include <stdio.h>
#include <unistd.h>

#include "guide.h"

static inline int64_t bytes_resident(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    long long size, resident = 0;

    must(f && fscanf(f, "%lld %lld", &size, &resident) == 2);
    fclose(f);
    return resident * sysconf(_SC_PAGESIZE);
}
