/* Schedules and zones by their texts, for tests. A zone is the caller's: zone_delete. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cron.h"
#include "zone_file.h"

static const int64_t second_ns = 1000000000;

static inline struct cron cron_of(const char *text)
{
    char error[CRON_ERROR_BYTES] = "";
    struct cron cron;

    if (cron_parse((struct bytes){text, strlen(text)}, &cron, error) < 0)
        fail_msg("%s: %s", text, error);
    return cron;
}

static inline struct zone *zone_of(const char *name)
{
    struct zone *zone = NULL;

    if (zone_file_read(ZONE_FOLDER, name, &zone) < 0)
        fail_msg("zone %s cannot be read; is the package tzdata installed?", name);
    return zone;
}

/* "2024-03-31 01:00:00" UTC */
static inline int64_t utc_s(const char *text)
{
    struct tm tm = {0};

    if (sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec) != 6)
        fail_msg("no time: %s", text);
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return timegm(&tm);
}

/* Chance that repeats: the same numbers of the same seed. */
static inline uint32_t chance(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*seed >> 33) % below);
}
