/*
 * How a group begins anew: when nobody is in it, and elsewhere in the log.
 *
 * What a group without members had read is in the log, and nobody is charged for it: so it forgets that. What it knows of it
 * beyond that it remembers as if an earlier daemon had told: what is acknowledged above the floor, how often a message was given,
 * with which flags, and when it is to be given again.
 */
#include "group.h"

struct known {
    uint64_t *acked;
    struct loaded_try *tries;
    size_t acked_n, tries_n;
};

/* When it is to be given again, by the clock on the wall; 0: at once. */
static int64_t due_us(const struct core *core, const struct group_message *message)
{
    if (message->state != GROUP_LATER)
        return 0;
    return time_after(core->now.wall_ns, message->timer.at_ns - core->now.mono_ns) / 1000;
}

static void know_slot(const struct core *core, struct known *known, const struct group_slot *slot)
{
    const struct group_message *message = slot->open;

    if (!message)
        known->acked[known->acked_n++] = slot->sequence;
    else if (message->tries || message->flags)
        known->tries[known->tries_n++] =
            (struct loaded_try){slot->sequence, due_us(core, message), message->tries, message->flags};
}

/* What it had read, and behind that what was known of what it had not. */
static void know_all(const struct core *core, struct known *known, const struct group *group)
{
    const struct group_work *work = &group->work;

    for (size_t i = 0; i < work->slots; i++)
        know_slot(core, known, &work->slot[work->head + i]);
    for (size_t i = work->acked_at; i < work->acked_n; i++)
        if (work->acked[i] > work->next)
            known->acked[known->acked_n++] = work->acked[i];
    for (size_t i = group->tries_at; i < group->tries_n; i++)
        if (group->tries[i].sequence > work->next)
            known->tries[known->tries_n++] = group->tries[i];
}

static void forget_tries(struct core *core, struct group *group, const struct known *known)
{
    core_free(core, group->tries);
    group->tries = known->tries;
    group->tries_n = group->tries_size = known->tries_n;
    group->tries_at = 0;
}

void group_rest(struct core *core, struct group *group)
{
    struct group_work *work = &group->work;
    uint64_t floor = group_floor(work);
    struct known known = {
        .acked = core_alloc(core, (work->slots + work->acked_n + 1) * sizeof(*known.acked)),
        .tries = core_alloc(core, (work->open_n + group->tries_n + 1) * sizeof(*known.tries)),
    };

    if (!work->slots || !known.acked || !known.tries) { /* without memory it keeps what it has */
        core_free(core, known.acked);
        core_free(core, known.tries);
        return;
    }
    know_all(core, &known, group);
    group_drop_all(core, group);
    forget_tries(core, group, &known);
    group_work_rest(core, work, floor, known.acked, known.acked_n);
    reader_seek(core, &group->reader, floor);
}

void group_go_to(struct core *core, struct group *group, uint64_t floor)
{
    struct member *member;

    group_drop_all(core, group);
    list_each (member, &group->members, link)
        member->sought = member->sub->channel->sequence;
    group_seek(&group->work, floor);
    group->mark = group->old_mark = floor;
    group->tries_n = group->tries_at = 0;
    reader_seek(core, &group->reader, floor + 2 * PLANTED(SHORT_SEEK));
}
