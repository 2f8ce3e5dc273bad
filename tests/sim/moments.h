/*
 * When a schedule is due, as the simulator has it: by looking at each minute there is, one after the other. What daemon/core/cron.c
 * finds by search is compared with this.
 *
 * Texts and zones are those below and no others. Moments are seconds of UTC; no function has state, memory or a clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "zone.h"

enum {
    SPECS_SHORT = 3, /* the first ones: due within seconds */
    SPECS = 13,
    PLACES = 3, /* zones: UTC, one that never changes its clocks, one that does every three weeks */
    MOMENT_DAYS_MAX = 40
};

struct bytes spec_text(uint32_t spec);
struct bytes place_name(uint32_t place);
/* -1: none of these. */
int spec_of(struct bytes text);
int place_of(struct bytes name);
/* As a shell would read it; static. */
const struct zone *place_zone(uint32_t place);

bool moment_is(uint32_t spec, uint32_t place, int64_t at_s);
/* The first moment after `after_s`; -1: not within MOMENT_DAYS_MAX. */
int64_t moment_next(uint32_t spec, uint32_t place, int64_t after_s);
/* The last one after `after_s` and not after `until_s`; -1: there is none. */
int64_t moment_last(uint32_t spec, uint32_t place, int64_t after_s, int64_t until_s);
