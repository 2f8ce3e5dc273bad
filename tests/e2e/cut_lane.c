#include "cut_lane.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "endpoint.h"
#include "lane.h"

/* The beginning of a frame that binds: number 1, in a ClientFrame behind its version. */
static const uint8_t first_of_client[] = {0x08, PROTOCOL_VERSION, 0x10, 1};
static const uint8_t first_of_daemon[] = {0x08, 1};

void cut_lane_init(struct cut_lane *lane)
{
    *lane = (struct cut_lane){.greeting_left = sizeof(struct greeting)};
}

void cut_lane_clear(struct cut_lane *lane)
{
    free(lane->bytes[LANE_CLIENT]);
    free(lane->bytes[LANE_DAEMON]);
    cut_lane_init(lane);
}

static bool pass(int to, const void *bytes, size_t n)
{
    return send(to, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* A frame of the daemon that says need_resume. */
static bool say_missing(int client)
{
    static const struct {
        uint32_t bytes, parts;
        uint8_t need_resume[2];
    } frame = {LANE_WORD_BYTES + sizeof frame.need_resume, 1, {0x20, 1}};
    return pass(client, &frame, 2 * LANE_WORD_BYTES + sizeof frame.need_resume);
}

static bool is_first(enum lane_side side, const uint8_t *frame, size_t bytes)
{
    struct bytes head;
    const uint8_t *first = side == LANE_CLIENT ? first_of_client : first_of_daemon;
    size_t size = side == LANE_CLIENT ? sizeof first_of_client : sizeof first_of_daemon;
    return lane_split(frame, bytes, &head, 1) > 0 && head.size >= size && !memcmp(head.data, first, size);
}

/* One whole frame. */
static bool take_frame(struct cut_lane *lane, enum lane_side side, const uint8_t *frame, size_t bytes, int to,
                       int client)
{
    lane->framed = true;
    if (lane->losing[side] && is_first(side, frame, bytes))
        lane->losing[side] = false;
    if (!lane->losing[side])
        return pass(to, frame, bytes);
    return side == LANE_DAEMON || say_missing(client);
}

static void keep(struct cut_lane *lane, enum lane_side side, const void *bytes, size_t n)
{
    uint8_t *all = realloc(lane->bytes[side], lane->n[side] + n + 1);
    if (!all)
        err(1, "cut: a frame");
    memcpy(all + lane->n[side], bytes, n);
    lane->bytes[side] = all;
    lane->n[side] += n;
}

/* How much of what was kept could be taken; negative: a write failed. */
static ssize_t take_all(struct cut_lane *lane, enum lane_side side, int to, int client)
{
    size_t at = 0;
    for (;;) {
        const uint8_t *frame = lane->bytes[side] + at;
        size_t left = lane->n[side] - at;
        ssize_t size = lane_frame_bytes(frame, left, LANE_FRAME_BYTES_MAX);
        if (size < 0) /* a farewell, or what is wrong on purpose */
            return pass(to, frame, left) ? (ssize_t)lane->n[side] : -1;
        if (size == 0 || (size_t)size > left)
            return (ssize_t)at;
        if (!take_frame(lane, side, frame, (size_t)size, to, client))
            return -1;
        at += (size_t)size;
    }
}

bool cut_lane_move(struct cut_lane *lane, enum lane_side side, const void *bytes, size_t n, int to,
                   int client)
{
    size_t greeting = side == LANE_CLIENT ? 0 : n < lane->greeting_left ? n : lane->greeting_left;
    if (greeting && !pass(to, bytes, greeting))
        return false;
    lane->greeting_left -= greeting;
    keep(lane, side, (const char *)bytes + greeting, n - greeting);
    ssize_t taken = take_all(lane, side, to, client);
    if (taken < 0)
        return false;
    lane->n[side] -= (size_t)taken;
    memmove(lane->bytes[side], lane->bytes[side] + taken, lane->n[side]);
    return true;
}

bool cut_lane_lose(struct cut_lane *lane, int client)
{
    if (!lane->framed)
        return false;
    lane->losing[LANE_CLIENT] = lane->losing[LANE_DAEMON] = true;
    return say_missing(client);
}
