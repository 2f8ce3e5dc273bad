/* What moves the values of one durable channel into another, a job each: names that moving_plugin.c and moving_ledger.c share. */
#pragma once

#define MOVING_IN  "chaos.in"
#define MOVING_OUT "chaos.out"

/* A value is "SENDER NUMBER". A job with one attempt would not outlive its host. */
enum { MOVING_VALUE_BYTES = 64, MOVING_ATTEMPTS = 1000, MOVING_BACKOFF_NS = 1000000 };
