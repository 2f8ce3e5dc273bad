#include "cursor_player.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    PUBLISHES_EACH = 7,
    WAIT_MS = 3,
    HASTE_MS = 4,
    PATIENCE_MS = 3600000,
    WINDOW = 1024,
    VALUES_EACH = 100
};

/* ---- what a round is like ---- */

struct terms cursor_terms(unsigned seed)
{
    bool hasty = seed % 4 == 3;

    return (struct terms){.capacity = 1 + seed % 3,
                          .window = seed % 5 == 0 ? 2 : WINDOW,
                          .ack_wait_ms = hasty ? HASTE_MS : PATIENCE_MS,
                          .ordered = seed / 2 % 2,
                          .hasty = hasty};
}

void cursor_group_name(char *to, unsigned round)
{
    snprintf(to, CURSOR_NAME_BYTES, "cursor.%u", round);
}

void cursor_all_name(char *to, unsigned round)
{
    snprintf(to, CURSOR_NAME_BYTES, "cursor.%u.*", round);
}

void cursor_topic_name(char *to, unsigned round, unsigned topic)
{
    snprintf(to, CURSOR_NAME_BYTES, "cursor.%u.%u", round, topic);
}

unsigned cursor_topic_of(uint32_t value)
{
    return value / 2 % CURSOR_TOPICS;
}

unsigned cursor_key_of(uint32_t value)
{
    return value % CURSOR_KEYS;
}

unsigned cursor_draw(unsigned *seed, unsigned n)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 16) % n;
}

int cursor_must(int r, const char *what)
{
    if (r < 0)
        errx(1, "%s: %s", what, gc_why());
    return r;
}

/* ---- notes ---- */

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

struct noted *cursor_begin(struct player *player, enum cursor_deed deed)
{
    int n = atomic_load(&player->notes->n);
    struct noted *noted = &player->notes->noted[n];

    if (n == CURSOR_CALLS_EACH)
        errx(1, "too many calls");
    *noted = (struct noted){
        .call = {.returned_ns = INT64_MAX, .process = player->number, .deed = deed, .outcome = CURSOR_OPEN}};
    noted->call.called_ns = now_ns();
    atomic_store(&player->notes->n, n + 1);
    return noted;
}

void cursor_end(struct noted *noted, enum cursor_outcome outcome)
{
    noted->call.returned_ns = now_ns();
    noted->call.outcome = outcome;
}

/* For a purge or a seek. */
static void know(struct player *player, uint32_t value, uint64_t sequence)
{
    unsigned at = player->known_n++ % CURSOR_KNOWN_MAX;

    player->known[at].value = value;
    player->known[at].sequence = sequence;
}

static unsigned known_n(const struct player *player)
{
    return player->known_n < CURSOR_KNOWN_MAX ? player->known_n : CURSOR_KNOWN_MAX;
}

static void note_message(struct noted *noted, const struct gc_value *v)
{
    const struct gc_message *message = gc_message(v);

    if (v->size != sizeof(noted->value) || !message)
        errx(1, "a message of %zu bytes", v->size);
    memcpy(&noted->value, v->data, sizeof(noted->value));
    noted->sequence = message->sequence;
    noted->call.tries = (uint8_t)message->tries;
    noted->call.flags = (uint8_t)((v->flags & GC_REDELIVERED ? CURSOR_REDELIVERED : 0) |
                                  (v->flags & GC_RETURNED ? CURSOR_RETURNED : 0));
}

/* ---- one call ---- */

void player_settle(struct player *player)
{
    cursor_must(gc_ping(player->g, GC_FOREVER), "ping");
}

void player_publish(struct player *player, uint32_t value)
{
    struct gc_publish_options options = {.size = sizeof(options), .key = cursor_key_of(value) ? "b" : "a"};
    char topic[CURSOR_NAME_BYTES];
    struct gc_published out;

    cursor_topic_name(topic, player->round, cursor_topic_of(value));
    struct noted *noted = cursor_begin(player, CURSOR_PUBLISH);
    noted->value = value;
    cursor_must(gc_publish(player->g, topic, gc_bytes(&value, sizeof(value)), &options, &out, GC_FOREVER),
                "publish");
    noted->sequence = out.sequence;
    cursor_end(noted, CURSOR_OK);
    know(player, value, out.sequence);
}

/* The oldest one that it holds: it is settled when the daemon has answered what was said next. */
static void settle_first(struct player *player, enum cursor_deed deed)
{
    struct gc_value *v = &player->held[0].v;
    struct noted *noted = cursor_begin(player, deed);

    noted->receive = player->held[0].receive;
    noted->value = player->notes->noted[noted->receive].value;
    cursor_must(deed == CURSOR_ACK ? gc_ack(player->g, v) : gc_return(player->g, v), "settle");
    player_settle(player);
    cursor_end(noted, CURSOR_OK);
    gc_value_clear(v);
    player->held_n--;
    memmove(&player->held[0], &player->held[1], (size_t)player->held_n * sizeof(player->held[0]));
}

static void play_receive(struct player *player)
{
    gc_until until = cursor_draw(&player->seed, 2) ? GC_NOW : gc_after_ms(WAIT_MS);

    if (player->held_n == CURSOR_HELD_MAX)
        return settle_first(player, CURSOR_ACK);
    struct gc_value *v = &player->held[player->held_n].v;
    struct noted *noted = cursor_begin(player, CURSOR_RECEIVE);
    int r = gc_recv(player->g, player->c, v, GC_HOLD, until);
    if (r == -EAGAIN || r == -ETIMEDOUT)
        return cursor_end(noted, CURSOR_VOID);
    if (cursor_must(r, "receive") == 0)
        errx(1, "a member was closed");
    note_message(noted, v);
    cursor_end(noted, CURSOR_OK);
    know(player, noted->value, noted->sequence);
    player->held[player->held_n++].receive = (int)(noted - player->notes->noted);
}

static void play_ack(struct player *player)
{
    if (!player->held_n)
        return play_receive(player);
    settle_first(player, CURSOR_ACK);
}

static void play_return(struct player *player)
{
    if (!player->held_n)
        return play_receive(player);
    settle_first(player, CURSOR_RETURN);
}

uint32_t player_take(struct player *player)
{
    struct gc_value v;
    struct noted *noted = cursor_begin(player, CURSOR_TAKE);

    if (cursor_must(gc_recv(player->g, player->c, &v, 0, GC_FOREVER), "take") == 0)
        errx(1, "a member was closed");
    note_message(noted, &v);
    gc_value_clear(&v);
    player_settle(player);
    cursor_end(noted, CURSOR_OK);
    return noted->value;
}

static void set_group(const struct player *player, const char *setting)
{
    char group[CURSOR_NAME_BYTES];

    cursor_group_name(group, player->round);
    cursor_must(gc_durable_set(player->g, group, setting, GC_FOREVER), "set");
}

/* To the start, to what is new, or to a message. */
static void play_seek(struct player *player)
{
    unsigned where = cursor_draw(&player->seed, 2 + known_n(player));
    char setting[CURSOR_NAME_BYTES];

    struct noted *noted = cursor_begin(player, CURSOR_SEEK);
    noted->sequence = where == 0 ? 0 : where == 1 ? UINT64_MAX : player->known[where - 2].sequence;
    snprintf(setting, sizeof(setting), "from=%lu", (unsigned long)noted->sequence);
    set_group(player, where == 0 ? "from=start" : where == 1 ? "from=new" : setting);
    cursor_end(noted, CURSOR_OK);
}

void player_pause(struct player *player, enum cursor_deed deed)
{
    struct noted *noted = cursor_begin(player, deed);

    set_group(player, deed == CURSOR_PAUSE ? "paused=yes" : "paused=no");
    cursor_end(noted, CURSOR_OK);
}

static void play_pause(struct player *player)
{
    player_pause(player, CURSOR_PAUSE);
}

static void play_resume(struct player *player)
{
    player_pause(player, CURSOR_RESUME);
}

/* One that another purge of the same messages came before has done nothing. */
static void play_purge(struct player *player)
{
    char topic[CURSOR_NAME_BYTES];

    if (!player->known_n)
        return player_look(player);
    unsigned at = cursor_draw(&player->seed, known_n(player));
    cursor_topic_name(topic, player->round, cursor_topic_of(player->known[at].value));
    struct noted *noted = cursor_begin(player, CURSOR_PURGE);
    noted->value = player->known[at].value;
    int64_t r = gc_topic_purge(player->g, topic, player->known[at].sequence, 0, GC_FOREVER);
    if (r < 0 && r != -EAGAIN)
        cursor_must((int)r, "purge");
    cursor_end(noted, r < 0 ? CURSOR_VOID : CURSOR_OK);
}

void player_look(struct player *player)
{
    struct gc_durable_page page;
    char group[CURSOR_NAME_BYTES];

    cursor_group_name(group, player->round);
    struct noted *noted = cursor_begin(player, CURSOR_LOOK);
    if (cursor_must(gc_durables(player->g, group, NULL, 1, &page, GC_FOREVER), "look") != 1)
        errx(1, "%s is not there", group);
    noted->call.floor = page.items[0].floor;
    cursor_end(noted, CURSOR_OK);
    gc_durable_page_clear(&page);
}

static void play_publish(struct player *player)
{
    if (player->published == PUBLISHES_EACH)
        return player_look(player);
    player_publish(player, player->number * VALUES_EACH + player->published++);
}

/* Each is one call at least: who is to be killed in its n-th one comes there. */
void player_play(struct player *player)
{
    static const struct {
        void (*play)(struct player *player);
        unsigned often; /* of WHOLE */
    } plays[] = {{play_publish, 16}, {play_receive, 20}, {play_ack, 12},  {play_return, 5}, {play_seek, 2},
                 {play_pause, 2},    {play_resume, 2},   {play_purge, 2}, {player_look, 3}};
    enum { WHOLE = 64 };
    unsigned what = cursor_draw(&player->seed, WHOLE), i = 0;

    while (what >= plays[i].often)
        what -= plays[i++].often;
    plays[i].play(player);
}

/* ---- its part of a round ---- */

void player_begin(struct player *player, unsigned round, unsigned seed)
{
    player->round = round;
    player->seed = seed;
    player->published = player->known_n = 0;
}

void player_join(struct player *player, unsigned capacity, struct terms terms)
{
    char pattern[CURSOR_NAME_BYTES], group[CURSOR_NAME_BYTES], settings[CURSOR_NAME_BYTES];
    struct gc_subscribe_options options = {.size = sizeof(options),
                                           .capacity = capacity,
                                           .from = GC_FROM_START,
                                           .group = group,
                                           .settings = settings};

    cursor_all_name(pattern, player->round);
    cursor_group_name(group, player->round);
    snprintf(settings, sizeof(settings), "ack_wait=%d window=%u ordered=%s", terms.ack_wait_ms, terms.window,
             terms.ordered ? "yes" : "no");
    cursor_must(gc_subscribe(player->g, pattern, &options, &player->c, GC_FOREVER), "subscribe");
}

void player_leave(struct player *player)
{
    struct noted *noted = cursor_begin(player, CURSOR_LEAVE);

    cursor_must(gc_drop(player->g, player->c), "drop");
    player_settle(player);
    cursor_end(noted, CURSOR_OK);
    while (player->held_n)
        settle_first(player, CURSOR_ACK);
}
