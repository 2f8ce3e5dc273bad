/*
 * The rule at the end of a zone file: what the clocks do in all the years after those that the file lists, in the form
 * of the environment variable TZ ("CET-1CEST,M3.5.0,M10.5.0/3"). Any thread; nothing blocks or allocates.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "zone.h"

enum zone_rule_kind { RULE_DAY_OF_365, RULE_DAY_FROM_0, RULE_WEEKDAY_OF_MONTH };

struct zone_rule_day {
    enum zone_rule_kind kind;
    int month, week, day; /* `day` alone for the first two kinds */
    int32_t time_s;       /* of the local day, before the change; may lie outside of it */
};

struct zone_rule {
    int32_t offset_s;
    bool changes; /* twice a year; the rest is set only then */
    int32_t other_offset_s;
    struct zone_rule_day to_other, back;
};

/* 0, or -EBADMSG: this is no rule. */
int zone_rule_parse(struct bytes text, struct zone_rule *rule);
/* The two changes of a year, the earlier one first. For a rule that has changes. */
void zone_rule_year(const struct zone_rule *rule, int year, struct zone_change changes[static 2]);
