/*
 * Who makes the histories of a cursor: a player does something with the group of a round, and notes it. Failures end the program
 * with words.
 */
#pragma once

#include <stdatomic.h>

#include "cursor.h"
#include "goclient_topic.h"

enum {
    CURSOR_CALLS_EACH = 48,
    CURSOR_TOPICS = 2,
    CURSOR_KEYS = 2,
    CURSOR_HELD_MAX = 6,
    CURSOR_KNOWN_MAX = 4,
    CURSOR_NAME_BYTES = 64,
};

/* A call, and what is not in the history: messages have a place in the log only when all of them are known. */
struct noted {
    struct cursor_call call;
    uint32_t value;    /* of the message */
    uint64_t sequence; /* of it, where that is known; SEEK: goes on there, UINT64_MAX: with what is new */
    int receive;       /* ACK, RETURN: which call of this process */
};

/* The calls of one player, in memory that outlives it. */
struct notes {
    atomic_int n;
    struct noted noted[CURSOR_CALLS_EACH];
};

/* What the group of a round is like. */
struct terms {
    unsigned capacity, window;
    int ack_wait_ms;
    bool ordered, hasty;
};

struct player {
    gc_client *g;
    uint8_t number;
    unsigned seed, round, published;
    gc_chan c;
    struct notes *notes;
    struct {
        struct gc_value v;
        int receive;
    } held[CURSOR_HELD_MAX];
    int held_n;
    struct {
        uint64_t sequence;
        uint32_t value;
    } known[CURSOR_KNOWN_MAX];
    unsigned known_n;
};

unsigned cursor_draw(unsigned *seed, unsigned n);
/* Ends the program when it is negative. */
int cursor_must(int r, const char *what);
/* The same for all players of a round. */
struct terms cursor_terms(unsigned seed);
/* Topic and key of a value, which says who has published it. */
unsigned cursor_topic_of(uint32_t value);
unsigned cursor_key_of(uint32_t value);
/* To CURSOR_NAME_BYTES: of the group, of all topics, or of one, of a round. */
void cursor_group_name(char *to, unsigned round);
void cursor_all_name(char *to, unsigned round);
void cursor_topic_name(char *to, unsigned round, unsigned topic);

/* Noted before it begins: whoever dies in it has never returned. */
struct noted *cursor_begin(struct player *player, enum cursor_deed deed);
void cursor_end(struct noted *noted, enum cursor_outcome outcome);

/* Its part of a round begins. */
void player_begin(struct player *player, unsigned round, unsigned seed);
void player_join(struct player *player, unsigned capacity, struct terms terms);
/* What it holds goes to others; an acknowledgement behind that counts all the same. */
void player_leave(struct player *player);
/* Whatever the seed says. */
void player_play(struct player *player);
void player_publish(struct player *player, uint32_t value);
/* Receives a message and acknowledges it; nobody may be beside it. Its value. */
uint32_t player_take(struct player *player);
void player_pause(struct player *player, enum cursor_deed deed);
void player_look(struct player *player);
/* The daemon has had what was said before. */
void player_settle(struct player *player);
