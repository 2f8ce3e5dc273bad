/* The end of a stand-alone program in which nobody can ever run again (Z1). */
#pragma once

#include <stdbool.h>

/* The caller found nothing to do: a processor that is in the idle list, or the watchdog, which looks once more
 * before it sleeps (a thread that has ended is seen for some time after). Reports and ends the process if
 * nobody will ever have anything to do. */
void deadlock_check(void);

/* Whether the process has a thread that may call in: in a program of go_main. */
bool foreign_thread(void);

/* No timer, no descriptor and nobody outside will make anybody ready. */
bool nothing_pending(void);
