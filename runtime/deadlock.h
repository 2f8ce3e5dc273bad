/* The end of a stand-alone program in which nobody can ever run again (Z1). */
#pragma once

/* A processor found nothing and is in the idle list. Reports and ends the process if that holds for all, for
 * ever. */
void deadlock_check(void);
