/* What this process may ask of the machine, from the moment at which it lets code of a plugin in. */
#pragma once

/* No program that this process starts gets more rights than it has itself. Cannot fail on a kernel that has hosts. */
void sandbox_begin(void);

/* Its share of the processors, where a process that says nothing has 100; by its niceness, in steps of a quarter. Threads
 * that are there already keep theirs. More than 100 needs a right, and without it stays 100. */
void sandbox_share(unsigned weight);

/*
 * Takes the system calls of the profile away, for good, from this thread and all that it starts: call it before there are
 * others, and after what the host itself has to do that the profile denies. "none" takes nothing. 0; -EINVAL: there is no
 * such profile; -ENOMEM; errors of seccomp(2): the kernel has none.
 */
int sandbox_apply(const char *profile);

/* The name of a call that the profile denies; NULL: it is none of them. Async-signal-safe. */
const char *sandbox_denied(int call);
