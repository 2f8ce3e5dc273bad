/* Numbers as people write them on a command line. Each gives 0 or -EINVAL, or -ERANGE when it is too large. */
#pragma once

#include <stdint.h>

/* Decimal digits only. */
int parse_count(const char *text, uint64_t *count);

/* Bytes: digits, then nothing or K, M, G (powers of 1024). */
int parse_size(const char *text, uint64_t *bytes);

/* Nanoseconds: digits, perhaps with a decimal fraction, then ns, us, ms, s, m, h or d. A bare 0 needs no unit.
 * Sums are allowed: 1m30s. */
int parse_duration(const char *text, int64_t *ns);

/* An instant of the wall clock, UTC, in microseconds: 2026-03-01, 2026-03-01T12:00 or 2026-03-01T12:00:00.5, with or without
 * a Z behind it. */
int parse_instant(const char *text, int64_t *us);

/* A job id: 1 to 2^63-1. */
int parse_job(const char *text, uint64_t *job);

/* `text` gets a duration in the largest unit that keeps two digits: "1.2s", "35ms", "3h". */
enum { DURATION_TEXT_BYTES = 24 };
const char *format_duration(int64_t ns, char text[static DURATION_TEXT_BYTES]);
