/* What tells two processes whether they read one clock (IP1.5). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The boot id of this kernel as text, "" when it cannot be read. */
void identity_boot_id(char *out, size_t size);

/* Number of this process's time namespace, 0 when the kernel has none. */
uint64_t identity_time_namespace(void);
