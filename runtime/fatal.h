/* The end of the process: what was wrong, with the value, and what to do, on stderr. Never returns, never
 * unwinds. */
#pragma once

void fatal(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
