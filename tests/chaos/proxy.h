/*
 * A proxy between one client and a daemon that can do harm to the frames between them, on a connection of ZeroMQ and on a
 * lifeline. A thread of its own moves the bytes. The stream of a lifeline is never ended, so the session lives on: to cut
 * it is to lose every frame, both ways, until the client binds anew. The daemon takes the process of the proxy for the
 * client.
 *
 * Every function may be called from any thread but the proxy's own. What fails ends the program with words.
 */
#pragma once

#include "rule.h"

struct proxy;

/* `endpoint`: of the daemon, ipc. */
struct proxy *proxy_start(const char *endpoint);
/* Ends every connection through it. Accepts NULL, returns NULL. */
struct proxy *proxy_stop(struct proxy *proxy);
/* Where the client shall connect. */
const char *proxy_endpoint(const struct proxy *proxy);

/*
 * For a host, which speaks for itself alone (IP9): its own connections, from it and to the daemon, become the proxy's.
 * `client`, `daemon`: the two ends of its lifeline. `spare`: connections to the daemon that the process of the host has
 * made, to which the proxy says the handshake at once; those of ZeroMQ that it opens are led over them, one each. The
 * proxy closes them all.
 */
enum { PROXY_SPARE_MAX = 8 };
void proxy_adopt(struct proxy *proxy, int client, int daemon, const int *spare, int spare_n);

/* Cuts every connection that carries frames, now. */
void proxy_cut(struct proxy *proxy);

/* The fault for the next operation of that verb; replaces the rule before. */
void proxy_arm(struct proxy *proxy, enum verb verb, enum step step, enum fault fault);
/* The operation is where the rule wants it (PARKED, ACKED): the next frame of the client with a request is struck. */
void proxy_now(struct proxy *proxy);
/* Returns when the fault has been done. */
void proxy_wait(struct proxy *proxy);
/* Lets go what a delay holds back. */
void proxy_release(struct proxy *proxy);

/* A broken proxy, for tests of the judges: from now on each send is answered to the client with "sent" before the
 * daemon has it, and kept back until proxy_release. */
void proxy_lie(struct proxy *proxy);
