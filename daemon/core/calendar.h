/*
 * Days and dates of the Gregorian calendar, from 1601 on, where a cycle of 400 years begins. No zones, no leap seconds.
 * Every function depends on its arguments alone, never blocks and never fails.
 */
#pragma once

#include <stdint.h>

enum { DAY_S = 86400 };

struct date {
    int year;
    int month;   /* 1 to 12 */
    int day;     /* of the month, from 1 */
    int weekday; /* 0: Sunday */
};

/* Days since 1970-01-01 of a date that exists; the weekday is not looked at. */
int64_t calendar_days(int year, int month, int day);
/* The date so many days after 1970-01-01; not before 1601-01-01. */
struct date calendar_date(int64_t days);
/* 28 to 31. */
int calendar_month_days(int year, int month);
