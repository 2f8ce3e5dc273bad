/* The last words of a host: who was running when it died. */
#pragma once

/*
 * From now on a fatal signal, or exit() called by anybody but crash_exit, writes one struct host_crash to `fd` before the
 * process ends of it. Call it after the runtime has started and the plugin is loaded, so that ours is the handler
 * that stands. `run_of` tells the run of the goroutine that runs on this thread, 0 for none; async-signal-safe.
 */
void crash_install(int fd, unsigned long long (*run_of)(void));

/* Ends the process as planned: no last words. */
void crash_exit(int status) __attribute__((noreturn));
