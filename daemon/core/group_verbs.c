/* What is asked of groups: to be made and joined, set, told, removed; and what a member says of messages that it has. */
#include <errno.h>
#include <string.h>

#include "group.h"
#include "name_page.h"

static int refuse_text(struct core *core, struct op *op, struct bytes wrong)
{
    char words[256];
    size_t size = group_part_why(wrong, words, sizeof(words));

    op_fail(core, op, -EINVAL, "%.*s", (int)size, words);
    return -EINVAL;
}

/* Everything up to here is behind it that begins there. */
static uint64_t floor_of(const struct core *core, struct bytes pattern, const struct group_from *from)
{
    const struct request_subscribe where = {.pattern = pattern,
                                            .from = from->from,
                                            .from_sequence = from->sequence,
                                            .from_time_us = from->time_us};

    return from->from == FROM_NEW ? core->kept_topics->stored : replay_begins_behind(core, &where);
}

/* Dead letters that the group reads itself would die again, for ever. */
static int check_dead(struct core *core, struct op *op, struct bytes pattern, const struct group_part *part)
{
    struct bytes dead = {part->policy.dead, part->policy.dead_size};

    if (!dead.size || !pattern_match(pattern, dead))
        return 0;
    op_fail(core, op, -EINVAL, "'dead=%.*s': the group reads %.*s, so its dead letters would come back to it",
            (int)dead.size, (const char *)dead.data, (int)pattern.size, (const char *)pattern.data);
    return -EINVAL;
}

/* ---- SUBSCRIBE ---- */

/* The store is not told yet. */
static int make(struct core *core, struct op *op, const struct request_subscribe *what, struct group **out)
{
    struct group_from from = {true, what->from, what->from_sequence, what->from_time_us};
    struct group_part part;
    struct bytes wrong;

    group_part_init(&part);
    if (group_part_read(&part, &from, what->settings, &wrong) < 0)
        return refuse_text(core, op, wrong);
    if (check_dead(core, op, what->pattern, &part) < 0)
        return -EINVAL;
    if (!account_has_room(core, op->scope->account, SLOT_GROUPS, 1)) {
        op_fail(core, op, -ENOBUFS, "there are no more groups: groups_max is %lu", core->limits.groups_max);
        return -ENOBUFS;
    }
    uint64_t floor = floor_of(core, what->pattern, &from);
    struct group_row row = {.id = core->kept_topics->group_last + 1,
                            .floor = floor,
                            .mark = floor,
                            .name = what->group,
                            .pattern = what->pattern};
    *out = group_new(core, op->scope->account, &row, &part);
    return *out ? 0 : -ENOMEM;
}

/* One that is there must read the same. */
static int check_pattern(struct core *core, struct op *op, const struct request_subscribe *what,
                         const struct group *group)
{
    struct bytes pattern = group_pattern(group);

    if (bytes_are(what->pattern, pattern.data, pattern.size))
        return 0;
    op_fail(core, op, -EEXIST, "the group is there, and reads %.*s", (int)pattern.size,
            (const char *)pattern.data);
    return -EEXIST;
}

/* The first member of a group that was made for it. When it is refused there is no group. */
static int join_first(struct core *core, struct op *op, const struct request_chan_open *open,
                      struct group *group, struct subscription *sub)
{
    struct note *note = group_note(core, group);
    int r = note ? member_new(core, group, sub, open->capacity) : -ENOMEM;

    if (r == 0)
        r = channel_subscribe(core, op, open, sub);
    if (r == 0) {
        group->batch = note_write(core, note);
        return 0;
    }
    note_delete(core, note);
    member_delete(core, sub);
    group_delete(core, group);
    return r;
}

int group_subscribe(struct core *core, struct op *op, const struct request_subscribe *what, uint64_t capacity,
                    struct subscription *sub)
{
    struct request_chan_open open = {.capacity = capacity, .rights = RIGHT_RECV};
    struct group *group;
    int r = name_check(what->group);

    if (r < 0) {
        op_fail(core, op, r, "the name of a group has 1 to %d bytes of A-Z a-z 0-9 _ . : / -",
                NAME_BYTES_MAX);
        return r;
    }
    group = group_of_name(core, what->group);
    if (group) {
        r = check_pattern(core, op, what, group);
        if (r == 0)
            r = member_new(core, group, sub, capacity);
        if (r == 0)
            r = channel_subscribe(core, op, &open, sub);
    } else {
        r = make(core, op, what, &group);
        if (r == 0)
            r = join_first(core, op, &open, group, sub);
    }
    if (r == 0)
        op_depends(op, group->batch);
    return r;
}

/* ---- SETTLE ---- */

static int settle_one(struct core *core, struct member *member, uint64_t sequence,
                      const struct request_settle *what)
{
    struct group *group = member->group;
    struct group_message *message = group ? group_find(&group->work, sequence) : NULL;

    if (!message || message->member != &member->place)
        return 0;
    if (what->what == SETTLE_EXTEND)
        group_extend(core, message, what->delay_ns ? what->delay_ns : group->work.terms.ack_wait_ns);
    else if (what->what == SETTLE_RETRY)
        group_retry(core, group, message, what->delay_ns);
    else
        return group_bury(core, group, message) < 0 ? 0 : 1;
    return 1;
}

int handle_settle(struct core *core, struct op *op, const struct request *request)
{
    const struct request_settle *what = &request->settle;
    struct handle *handle;
    int r = handle_get(core, op, what->handle, RIGHT_RECV, &handle), n = 0;

    if (r < 0)
        return r;
    struct subscription *sub = handle->channel->subscription;
    if (!sub || !sub->member || what->what < SETTLE_RETRY || what->what > SETTLE_EXTEND ||
        what->delay_ns < 0 || what->sequences_n > VALUES_MAX)
        return -EINVAL;
    for (size_t i = 0; i < what->sequences_n; i++)
        n += settle_one(core, sub->member, what->sequences[i], what);
    return n;
}

/* ---- GROUP_SET, GROUP_REMOVE ---- */

static struct group *asked(struct core *core, struct op *op, struct bytes name, int *r)
{
    struct group *group = group_of_name(core, name);

    *r = group ? 0 : -ENOENT;
    if (!group)
        op_fail(core, op, *r, "no group %.*s", (int)name.size, (const char *)name.data);
    return group;
}

int handle_group_set(struct core *core, struct op *op, const struct request *request)
{
    const struct request_group_set *set = &request->group_set;
    struct group_from from = {.said = false};
    struct bytes wrong;
    int r;
    struct group *group = asked(core, op, set->group, &r);

    if (!group)
        return r;
    struct group_part part = group->part;
    if (group_part_read(&part, &from, set->settings, &wrong) < 0)
        return refuse_text(core, op, wrong);
    if (check_dead(core, op, group_pattern(group), &part) < 0)
        return -EINVAL;
    uint64_t floor = from.said ? floor_of(core, group_pattern(group), &from) : group_floor(&group->work);
    if (group_record(core, group, &part, floor, from.said) < 0)
        return -ENOMEM;
    group_set(core, group, &part);
    if (from.said)
        group_go_to(core, group, floor);
    op_depends(op, group->batch);
    return 0;
}

int handle_group_remove(struct core *core, struct op *op, const struct request *request)
{
    int r;
    struct group *group = asked(core, op, request->group_remove.group, &r);

    if (!group)
        return r;
    struct group_row row = {.id = group->id};
    uint64_t batch = kept_record(core, record_new_group(RECORD_GROUP_GONE, &row));
    if (!batch)
        return -ENOMEM;
    op_depends(op, batch);
    group_delete(core, group);
    return 0;
}

/* ---- GROUP_LIST ---- */

enum { GROUP_ROW_BYTES = 64 + NAME_BYTES_MAX, GROUP_ROWS = GROUP_FIELDS + 1 };

struct group_rows {
    struct counter row[GROUP_ROWS];
    char text[GROUP_ROWS][GROUP_ROW_BYTES];
};

static struct counter row_of(struct group_rows *rows, size_t i, const char *origin, const char *name,
                             struct bytes word, uint64_t value)
{
    size_t size = text_write(rows->text[i], GROUP_ROW_BYTES, "%s.%s%s%.*s", origin, name,
                             word.size ? "=" : "", (int)word.size, (const char *)word.data);

    return (struct counter){.name = {rows->text[i], size}, .value = value};
}

static size_t settings_of(const struct group *group, struct group_rows *rows)
{
    const struct group_policy *policy = &group->part.policy;

    for (size_t i = 0; i < GROUP_FIELDS; i++)
        rows->row[i] =
            row_of(rows, i, group->part.set >> i & 1 ? "set" : "default", group_rows[i].name,
                   group_word(policy, (enum group_field)i), group_value(policy, (enum group_field)i));
    rows->row[GROUP_FIELDS] =
        row_of(rows, GROUP_FIELDS, "set", "dead", (struct bytes){policy->dead, policy->dead_size}, 0);
    return policy->dead_size ? GROUP_ROWS : GROUP_FIELDS;
}

static struct group_info info_of(const struct core *core, const struct group *group)
{
    return (struct group_info){
        .name = group_name(group),
        .pattern = group_pattern(group),
        .floor = group_floor(&group->work),
        .next = group->work.next,
        .outstanding = group->work.open_n,
        .members = group->work.members_n,
        .waiting = kept_unread(core, group_pattern(group), group->work.next),
        .redelivered = group->redelivered,
        .dead = group->dead,
        .paused = group->work.terms.paused,
    };
}

/* With its settings when it is the only one that is asked for: by its whole name. */
static int tell(struct core *core, struct op *op, struct name_page *page, struct bytes prefix)
{
    struct group_info *info = (struct group_info *)page->row;
    bool alone = page->n == 1 && name_order(info->name, prefix) == 0;
    const struct group *group = alone ? group_of_name(core, prefix) : NULL;
    struct group_rows *rows = group ? core_alloc(core, sizeof(*rows)) : NULL;
    int r;

    if (group && !rows)
        return -ENOMEM;
    if (group) {
        info->settings_n = settings_of(group, rows);
        info->settings = rows->row;
    }
    r = op_answer(core, op,
                  &(struct result){.flags = name_page_flags(page), .groups = info, .groups_n = page->n});
    core_free(core, rows);
    return r;
}

int handle_group_list(struct core *core, struct op *op, const struct request *request)
{
    const struct request_group_list *list = &request->group_list;
    const struct group *group;
    struct group_info *row;
    struct name_page page;
    int r = name_page_new(core, &page, sizeof(*row), list->prefix, list->after, list->limit);

    if (r < 0)
        return r;
    list_each (group, &core->kept_topics->groups, link)
        if ((row =
                 name_page_place_for(&page, group_name(group), kept_unread_cost(core, group_pattern(group)))))
            row->name = group_name(group);
    row = page.row;
    for (size_t i = 0; i < page.n; i++)
        row[i] = info_of(core, group_of_name(core, row[i].name));
    r = tell(core, op, &page, list->prefix);
    core_free(core, page.row);
    return r;
}
