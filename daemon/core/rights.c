#include "rights.h"

#include <stddef.h>
#include <string.h>

#include "pattern.h"
#include "queue_policy.h"

enum want_kind { UNKNOWN, FREE, ANYWHERE, NAMED, BY_NAME, PATTERN, SPECIAL };

static const struct verb_right {
    uint32_t groups;
    enum want_kind kind;
    size_t name; /* of the struct bytes, in struct request */
} verb_rights[VERB_NUMBER_END] = {
#define VERB_RIGHT_ROW(NAME, group, kind, member)                                                            \
    [VERB_##NAME] = {GROUP_##group, kind, offsetof(struct request, member)},
    VERB_RIGHTS(VERB_RIGHT_ROW)
#undef VERB_RIGHT_ROW
};

static const char *const words[] = {
#define RIGHT_WORD(NAME, word, help) #word,
    RIGHT_GROUPS(RIGHT_WORD)
#undef RIGHT_WORD
};

/* ---- what a request needs ---- */

/* Of an open by name: each right that is asked for; and where it makes the channel, that. An open that asks for
 * everything gets what there is of it, and needs one. */
static size_t open_wants(const struct request_chan_open *open, bool there, struct right_want *wants)
{
    bool makes = open->flags & OPEN_CREATE && !there;
    size_t n = 0;

    if (!open->name.size)
        return 0;
    if (makes)
        wants[n++] = (struct right_want){.groups = GROUP_MAKE, .name = open->name};
    for (int bit = 0; bit < 3; bit++)
        if (open->rights & (1u << bit))
            wants[n++] = (struct right_want){.groups = 1u << bit, .name = open->name};
    if (!n)
        wants[n++] = (struct right_want){.groups = GROUP_SEND | GROUP_RECV | GROUP_CLOSE, .name = open->name};
    return n;
}

static struct right_want submit_to(struct bytes queue)
{
    return (struct right_want){.groups = GROUP_SUBMIT,
                               .name = queue.size ? queue : (struct bytes){"default", 7}};
}

static struct right_want submit_of(struct bytes plugin, struct bytes function)
{
    return (struct right_want){.groups = GROUP_SUBMIT, .name = plugin, .rest = function};
}

size_t rights_of_submit(struct bytes queue, struct bytes plugin, struct bytes function,
                        struct right_want *wants)
{
    wants[0] = submit_to(queue);
    wants[1] = submit_of(plugin, function);
    return 2;
}

/* The schedule, and what it submits. */
static size_t schedule_wants(const struct request_schedule_set *set, struct right_want *wants)
{
    wants[0] = (struct right_want){.groups = GROUP_SCHEDULE, .name = set->name};
    return 1 + rights_of_submit(set->queue, set->plugin, set->function, wants + 1);
}

static size_t two_wants(uint32_t groups, struct bytes a, struct bytes b, struct right_want *wants)
{
    size_t n = 0;

    if (a.size)
        wants[n++] = (struct right_want){.groups = groups, .name = a};
    if (b.size)
        wants[n++] = (struct right_want){.groups = groups, .name = b};
    return n;
}

/* A context of an error group makes that group, if there is none: the right to do so is that of sync objects. */
static size_t ctx_wants(const struct request_ctx_new *what, struct right_want *wants)
{
    size_t n = two_wants(GROUP_CONTEXT, what->name, what->parent_name, wants);

    if (what->group.size)
        wants[n++] = (struct right_want){.groups = GROUP_LOCK, .name = what->group};
    return n;
}

static size_t give_wants(const struct request_sync_give *what, bool held, struct right_want *wants)
{
    wants[0] = (struct right_want){.groups = GROUP_LOCK, .name = what->name};
    return !held;
}

/* More names than one request may have are refused as too many, repeats too. */
static size_t reserve_wants(struct bytes queues, struct right_want *wants)
{
    struct bytes name;
    size_t n = 0;

    while (n < RIGHT_WANTS_MAX && names_next(&queues, &name))
        wants[n++] = (struct right_want){.groups = GROUP_WORK, .name = name};
    if (!n)
        wants[n++] = (struct right_want){.groups = GROUP_WORK, .name = {"default", 7}};
    return n;
}

/* The daemon publishes dead letters of a group for whoever says where they go: the last setting counts. */
static size_t dead_wants(struct bytes settings, struct right_want *wants)
{
    struct bytes name, value, dead = {"", 0};

    while (policy_token(&settings, &name, &value))
        if (bytes_are(name, "dead", 4))
            dead = value;
    wants[0] = (struct right_want){.groups = GROUP_PUBLISH, .name = dead};
    return dead.size > 0;
}

static size_t subscribe_wants(const struct request_subscribe *what, struct right_want *wants)
{
    wants[0] = (struct right_want){.groups = GROUP_SUBSCRIBE, .name = pattern_prefix(what->pattern)};
    return 1 + dead_wants(what->settings, wants + 1);
}

static size_t group_set_wants(const struct request_group_set *what, struct right_want *wants)
{
    wants[0] = (struct right_want){.groups = GROUP_TOPIC, .name = what->group};
    return 1 + dead_wants(what->settings, wants + 1);
}

/* For what it names, and for the queue that a new one has when it names none. Of what it leaves as it is the feed itself is
 * judged, as often as it submits. */
static size_t feed_wants(const struct request_feed_set *set, bool there, struct right_want *wants)
{
    size_t n = 0;

    if (set->pattern.size)
        wants[n++] = (struct right_want){.groups = GROUP_SUBSCRIBE, .name = pattern_prefix(set->pattern)};
    if (set->queue.size || (set->function.size && !there))
        wants[n++] = submit_to(set->queue);
    if (set->function.size)
        wants[n++] = submit_of(set->plugin, set->function);
    if (!n)
        wants[n++] = (struct right_want){.groups = GROUP_SUBSCRIBE, .anywhere = true};
    return n;
}

static size_t special_wants(const struct request *request, bool there, struct right_want *wants)
{
    switch (request->verb) {
    case VERB_CHAN_OPEN:
        return open_wants(&request->chan_open, there, wants);
    case VERB_SUBMIT:
        return rights_of_submit(request->submit.queue, request->submit.plugin, request->submit.function,
                                wants);
    case VERB_SCHEDULE_SET:
        return schedule_wants(&request->schedule_set, wants);
    case VERB_SYNC_GIVE:
        return give_wants(&request->sync_give, there, wants);
    case VERB_WORK_RESERVE:
        return reserve_wants(request->work_reserve.queues, wants);
    case VERB_SUBSCRIBE:
        return subscribe_wants(&request->subscribe, wants);
    case VERB_FEED_SET:
        return feed_wants(&request->feed_set, there, wants);
    case VERB_GROUP_SET:
        return group_set_wants(&request->group_set, wants);
    case VERB_COND_WAIT:
        return two_wants(GROUP_LOCK, request->cond_wait.name, request->cond_wait.lock, wants);
    default:
        return ctx_wants(&request->ctx_new, wants);
    }
}

size_t rights_wanted(const struct request *request, bool there, struct right_want *wants)
{
    const struct verb_right *row = &verb_rights[request->verb];
    struct bytes name;

    switch (row->kind) {
    case FREE:
        return 0;
    case SPECIAL:
        return special_wants(request, there, wants);
    case NAMED:
    case BY_NAME:
    case PATTERN:
        memcpy(&name, (const char *)request + row->name, sizeof(name));
        name = row->kind == PATTERN ? pattern_prefix(name) : name;
        wants[0] = (struct right_want){.groups = row->groups, .name = name};
        return row->kind != BY_NAME || name.size;
    default: /* a verb without a row needs what nobody has by a mistake */
        wants[0] = (struct right_want){.groups = row->groups ? row->groups : GROUP_ADMIN, .anywhere = true};
        return 1;
    }
}

/* ---- the table ---- */

/* Whether name, or name:rest, begins with this. */
static bool begins(const struct right_want *want, struct bytes with)
{
    const char *at = with.data;
    size_t left = with.size;
    size_t n = left < want->name.size ? left : want->name.size;

    if (n && memcmp(at, want->name.data, n) != 0)
        return false;
    if (left == n)
        return true;
    at += n;
    left -= n;
    if (!want->rest.size || *at != ':' || left - 1 > want->rest.size)
        return false;
    return left == 1 || memcmp(at + 1, want->rest.data, left - 1) == 0;
}

bool rights_let(const struct rights *rights, uint32_t account, const struct right_want *want)
{
    for (size_t i = 0; rights && i < rights->n; i++) {
        const struct right_row *row = &rights->rows[i];

        if ((row->anybody || row->account == account) && row->groups & want->groups &&
            (want->anywhere || begins(want, row->prefix)))
            return true;
    }
    return !rights;
}

uint32_t rights_of_channel(const struct rights *rights, uint32_t account, struct bytes name, uint32_t asked)
{
    uint32_t have = 0, all = asked ? asked & RIGHT_ALL : RIGHT_ALL;

    for (int bit = 0; bit < 3; bit++) {
        struct right_want want = {.groups = 1u << bit, .name = name};

        if (all & want.groups && (!name.size || rights_let(rights, account, &want)))
            have |= want.groups;
    }
    return have;
}

/* ---- words ---- */

static size_t append(char *to, size_t size, size_t at, const char *text)
{
    for (; *text && at < size; text++)
        to[at++] = *text;
    return at;
}

size_t rights_words(uint32_t groups, char *to, size_t size)
{
    size_t n = 0;

    for (int place = 0; place < RIGHT_PLACES; place++) {
        if (!(groups & (1u << place)))
            continue;
        if (n)
            n = append(to, size, n, " or ");
        n = append(to, size, n, words[place]);
    }
    return n;
}

uint32_t rights_group(const char *word, size_t size)
{
    for (int place = 0; place < RIGHT_PLACES; place++)
        if (strlen(words[place]) == size && !memcmp(words[place], word, size))
            return 1u << place;
    return size == 3 && !memcmp(word, "all", 3) ? GROUPS_ALL : 0;
}
