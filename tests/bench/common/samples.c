#include "samples.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    return (*(const uint32_t *)a > *(const uint32_t *)b) - (*(const uint32_t *)a < *(const uint32_t *)b);
}

void samples_sort(uint32_t *samples, size_t n)
{
    if (n)
        qsort(samples, n, sizeof *samples, by_value);
}

uint32_t samples_at(const uint32_t *samples, size_t n, unsigned percent)
{
    return n ? samples[n * percent / 100] : 0;
}
