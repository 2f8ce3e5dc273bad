/* What the service manager is told: one datagram to $NOTIFY_SOCKET (sd_notify(3)). Nothing where it is unset. */
#pragma once

#include <stdint.h>

/* Lines of VARIABLE=VALUE. Never blocks; failure is the manager's to notice. */
void notify(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* How often WATCHDOG=1 is due, half of what the manager allows; 0: never. Nanoseconds. */
int64_t notify_watchdog_ns(void);
