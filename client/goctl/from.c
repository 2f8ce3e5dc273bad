#include "from.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "quantity.h"

int64_t from_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

int from_parse(const char *text, int64_t now_us, struct gc_subscribe_options *options)
{
    uint64_t sequence;
    int64_t ago_ns;

    if (!strcmp(text, "now"))
        options->from = GC_FROM_NEW;
    else if (!strcmp(text, "start"))
        options->from = GC_FROM_START;
    else if (!strcmp(text, "last"))
        options->from = GC_FROM_LAST;
    else if (parse_count(text, &sequence) == 0) {
        options->from = GC_FROM_SEQUENCE;
        options->from_sequence = sequence;
    } else if (parse_duration(text, &ago_ns) == 0) {
        options->from = GC_FROM_TIME;
        options->from_time_us = now_us - ago_ns / 1000;
    } else if (parse_instant(text, &options->from_time_us) == 0)
        options->from = GC_FROM_TIME;
    else
        return -EINVAL;
    return 0;
}
