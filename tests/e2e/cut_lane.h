/*
 * What a cut is on the local lane, whose stream must not end: all frames that are under way on it are lost, both ways,
 * and the client hears so, as from a daemon that misses a frame, for each that it still sends. What is said anew, from
 * the first frame of a binding on, passes again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum lane_side { LANE_CLIENT, LANE_DAEMON, LANE_SIDES };

/* The bytes of one lifeline: what came of each side and is no whole frame yet. */
struct cut_lane {
    uint8_t *bytes[LANE_SIDES];
    size_t n[LANE_SIDES];
    size_t greeting_left;
    bool losing[LANE_SIDES]; /* frames that this side has written */
    bool framed;             /* a frame has passed: it is a lane */
};

void cut_lane_init(struct cut_lane *lane);
void cut_lane_clear(struct cut_lane *lane);
/* Bytes came from `side`: passes on to `to` what is not lost; a word for the client goes to `client`. False: a write
 * failed. */
bool cut_lane_move(struct cut_lane *lane, enum lane_side side, const void *bytes, size_t n, int to,
                   int client);
/* Loses what is under way. False: it is no lane. */
bool cut_lane_lose(struct cut_lane *lane, int client);
