/*
 * What the daemon and goroutined-host agree on, beside the protocol that every client speaks.
 *
 * Started as
 *     goroutined-host --describe FILE --as PATH           one JSON object on HOST_FD, then exit
 *     goroutined-host --run FILE --generation HASH        a host
 * FILE is the daemon's own copy of the plugin, PATH the name people know it by. Standard output and error go to the
 * daemon's log. GOROUTINED_ENDPOINT names the endpoint.
 *
 * --describe: HOST_FD is a pipe. The answer is {"name","version","functions":[{"name","help","attempts_max",
 * "backoff_ns","time_limit_ns"}]} and exit 0, or {"error": positive errno value, "text": what was wrong and what to do}
 * and exit 1. A plugin that dies while it is loaded leaves no object; the daemon names the signal.
 *
 * --run: HOST_FD is one end of an AF_UNIX stream socket pair, the host's lifeline and its authority: no user id is
 * asked. The daemon first writes the same greeting as on every lifeline (endpoint.h); until then the host does nothing.
 * It then connects to the endpoint, says HELLO with that session and RESERVE for its generation. The end of HOST_FD at
 * the host means that the daemon is gone: the host cancels its jobs, waits their grace and exits. HOST_CRASH_FD is a
 * pipe: a host that dies of a signal or of exit() writes a struct host_crash there, and perhaps others that say
 * more; nothing else ever.
 */
#pragma once

#include <stdint.h>

enum {
    HOST_FD = 3,
    HOST_CRASH_FD = 4,
    HOST_DESCRIBE_BYTES_MAX = 1 << 20, /* the daemon reads no more of an answer */
    HOST_DESCRIBE_TIMEOUT_MS = 10000,  /* constructors of a plugin that take longer are ended */
    HOST_CRASH_MAGIC = 0x63726173,
    HOST_CRASH_TEXT_BYTES = 8192,
};

/* Written from a signal handler in one write(2): no pointers, no allocation. */
struct host_crash {
    uint32_t magic;
    int32_t signal; /* 0: the plugin called exit */
    int32_t status; /* of exit */
    uint32_t text_bytes;
    uint64_t run;                     /* of the job whose goroutine was running; 0: none */
    char text[HOST_CRASH_TEXT_BYTES]; /* signal, goroutine, where it was started, frames one a line */
};
