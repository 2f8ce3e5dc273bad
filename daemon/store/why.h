/* What was wrong, with the value, and what to do: one line for a person, on the heap. */
#pragma once

/* Sets *why (unless `why` is NULL) and returns `error`, so that it can end a function. */
int why_set(char **why, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
