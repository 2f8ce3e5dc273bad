/* What reports need to know of send and receive. */
#pragma once

/* For an address in the function where both wait: one in the function that was called, by the reason of the wait. Any
 * other address as it is. */
void *single_called(void *pc, const char *reason);
