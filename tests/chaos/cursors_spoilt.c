#include <err.h>
#include <stdio.h>

#include "cursors.h"

/* Nobody else is called so: it has nothing, and may have anything that nobody has. */
enum { STRANGER = CURSOR_PROCESSES - 1 };

static const struct cursor *of; /* the history at hand */

/* ---- what else happened ---- */

/* Whether a call of this deed may have taken effect behind that time. */
static bool any_behind(enum cursor_deed deed, int64_t ns)
{
    for (int i = 0; i < of->n; i++)
        if (of->call[i].deed == deed && of->call[i].outcome != CURSOR_VOID && of->call[i].returned_ns >= ns)
            return true;
    return false;
}

/* Whether somebody began to do this with a message before that time; `receive`: with what that call had received of it. */
static bool begun(enum cursor_deed deed, int message, int receive, int64_t before_ns)
{
    for (int i = 0; i < of->n; i++)
        if (of->call[i].deed == deed && of->call[i].outcome != CURSOR_VOID &&
            of->call[i].message == message && (receive < 0 || of->call[i].receive == receive) &&
            of->call[i].called_ns <= before_ns)
            return true;
    return false;
}

/* Whether a message may have been purged. */
static bool purged(int message)
{
    for (int i = 0; i < of->n; i++)
        if (of->call[i].deed == CURSOR_PURGE && of->call[i].outcome != CURSOR_VOID &&
            of->call[i].message >= message &&
            of->message[of->call[i].message].topic == of->message[message].topic)
            return true;
    return false;
}

/* Whether the process may have left, or died, before that time. */
static bool left(int process, int64_t before_ns)
{
    for (int i = 0; i < of->n; i++)
        if ((of->call[i].deed == CURSOR_LEAVE || of->call[i].deed == CURSOR_DEATH) &&
            of->call[i].process == process && of->call[i].called_ns <= before_ns)
            return true;
    return false;
}

/* A receive by somebody else of what that call had received, as it would be if it were given again. */
static void receive_again(struct cursor_call *wrong, const struct cursor_call *receive)
{
    wrong->deed = CURSOR_RECEIVE;
    wrong->message = receive->message;
    wrong->tries = (uint8_t)(receive->tries + 1);
    wrong->flags = receive->flags | CURSOR_REDELIVERED;
}

static void receive_new(struct cursor_call *wrong, int message)
{
    wrong->deed = CURSOR_RECEIVE;
    wrong->message = (uint8_t)message;
    wrong->tries = 1;
}

/* ---- what must not be, just behind a call: true when it is sure to be wrong there ---- */

static bool after_its_ack(const struct cursor_call *ack, struct cursor_call *wrong)
{
    if (ack->deed != CURSOR_ACK || any_behind(CURSOR_SEEK, of->call[ack->receive].called_ns))
        return false;
    receive_again(wrong, &of->call[ack->receive]);
    return true;
}

static bool to_two_members(const struct cursor_call *receive, struct cursor_call *wrong)
{
    int i = (int)(receive - of->call);

    if (receive->deed != CURSOR_RECEIVE || of->hasty || any_behind(CURSOR_SEEK, receive->called_ns) ||
        begun(CURSOR_RETURN, receive->message, i, wrong->returned_ns) ||
        left(receive->process, wrong->returned_ns))
        return false;
    receive_again(wrong, receive);
    return true;
}

/* One that is behind it in the log, with the same key, while it is not acknowledged. */
static bool before_its_key(const struct cursor_call *receive, struct cursor_call *wrong)
{
    int first = receive->message;

    if (receive->deed != CURSOR_RECEIVE || !of->ordered || any_behind(CURSOR_SEEK, receive->called_ns) ||
        purged(first) || begun(CURSOR_ACK, first, -1, wrong->returned_ns) ||
        begun(CURSOR_TAKE, first, -1, wrong->returned_ns))
        return false;
    for (int i = first + 1; i < of->messages; i++)
        if (of->message[i].key == of->message[first].key && begun(CURSOR_PUBLISH, i, -1, wrong->called_ns)) {
            receive_new(wrong, i);
            return true;
        }
    return false;
}

static bool while_paused(const struct cursor_call *pause, struct cursor_call *wrong)
{
    int64_t resumed = INT64_MAX;

    if (pause->deed != CURSOR_PAUSE)
        return false;
    for (int i = 0; i < of->n; i++)
        if (of->call[i].deed == CURSOR_RESUME && of->call[i].returned_ns >= pause->called_ns &&
            of->call[i].called_ns < resumed)
            resumed = of->call[i].called_ns;
    for (int i = 0; i < of->n; i++) {
        const struct cursor_call *publish = &of->call[i];
        if (publish->deed == CURSOR_PUBLISH && publish->called_ns > pause->returned_ns &&
            publish->returned_ns < resumed - 2) {
            receive_new(wrong, publish->message);
            wrong->called_ns = publish->returned_ns + 1;
            wrong->returned_ns = publish->returned_ns + 2;
            return true;
        }
    }
    return false;
}

/* The floor is before what is acknowledged. */
static bool back_of_the_floor(const struct cursor_call *ack, struct cursor_call *wrong)
{
    if (ack->deed != CURSOR_ACK || ack->message != 0 ||
        any_behind(CURSOR_SEEK, of->call[ack->receive].called_ns))
        return false;
    wrong->deed = CURSOR_LOOK;
    wrong->floor = of->message[0].sequence - 1;
    return true;
}

/* The floor is behind what nobody has acknowledged. */
static bool ahead_of_the_floor(const struct cursor_call *receive, struct cursor_call *wrong)
{
    int i = receive->message;

    if (receive->deed != CURSOR_RECEIVE || any_behind(CURSOR_SEEK, receive->called_ns) || purged(i) ||
        begun(CURSOR_ACK, i, -1, wrong->returned_ns) || begun(CURSOR_TAKE, i, -1, wrong->returned_ns))
        return false;
    wrong->deed = CURSOR_LOOK;
    wrong->floor = of->message[i].sequence;
    return true;
}

static struct kind {
    const char *name;
    bool (*forbidden)(const struct cursor_call *call, struct cursor_call *wrong);
    unsigned long found;
} kinds[] = {
    {"after its acknowledgement", after_its_ack, 0}, {"to two members", to_two_members, 0},
    {"before its key", before_its_key, 0},           {"while paused", while_paused, 0},
    {"floor gone back", back_of_the_floor, 0},       {"floor gone ahead", ahead_of_the_floor, 0},
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* ---- trying them ---- */

static void spoil(struct kind *kind)
{
    struct cursor wrong = *of;
    struct cursor_call *more = &wrong.call[wrong.n++];

    for (int i = 0; i < of->n; i++) {
        const struct cursor_call *call = &of->call[i];
        if (call->outcome != CURSOR_OK || call->returned_ns == INT64_MAX)
            continue;
        *more = (struct cursor_call){
            .process = STRANGER, .called_ns = call->returned_ns + 1, .returned_ns = call->returned_ns + 2};
        if (!kind->forbidden(call, more))
            continue;
        if (cursor_check(&wrong) == 1) {
            cursor_print(&wrong);
            errx(1, "the last call (%s) must not have been, and nobody noticed", kind->name);
        }
        kind->found++;
        return;
    }
}

void cursor_spoil(const struct cursor *cursor)
{
    of = cursor;
    for (int i = 0; i < KINDS && cursor->n < CURSOR_CALLS - 1; i++)
        spoil(&kinds[i]);
}

int cursor_spoilt(void)
{
    int none = 0;

    for (int i = 0; i < KINDS; i++) {
        printf("%s %s %lu", i ? "," : "", kinds[i].name, kinds[i].found);
        none += !kinds[i].found;
    }
    printf("\n");
    return none;
}
