/* What the store has of groups: their rows; before the first step these, acknowledgements above their floors, tries. */
#include <errno.h>

#include "group.h"

enum { TRIES_FIRST = 16 };

/* ---- told ---- */

static struct record *record_of(const struct group *group, const struct group_part *part, uint64_t floor,
                                bool anew)
{
    char text[GROUP_TEXT_MAX];
    struct group_row row = {
        .id = group->id,
        .floor = floor,
        .mark = anew ? floor : group->mark,
        .uid = group->account->uid,
        .paused = part->policy.paused,
        .anew = anew,
        .name = group_name(group),
        .pattern = group_pattern(group),
        .text = group_part_write(part, text, sizeof(text)),
    };
    return record_new_group(RECORD_GROUP, &row);
}

int group_record(struct core *core, struct group *group, const struct group_part *part, uint64_t floor,
                 bool anew)
{
    uint64_t batch = kept_record(core, record_of(group, part, floor, anew));

    if (!batch)
        return -ENOMEM;
    group->batch = batch;
    return 0;
}

struct note *group_note(struct core *core, const struct group *group)
{
    return note_new(core, record_of(group, &group->part, group_floor(&group->work), false));
}

/* ---- loaded ---- */

int core_load_group(struct core *core, const struct group_row *row, const char **why)
{
    struct group_part part;
    struct group_from from;
    struct bytes wrong;
    struct account *account;

    if (pattern_check(row->pattern, why) < 0)
        return -EINVAL;
    *why = "its row cannot be that of a group";
    if (name_check(row->name) < 0 || row->id <= core->kept_topics->group_last ||
        group_of_name(core, row->name))
        return -EINVAL;
    group_part_init(&part);
    if (group_part_read(&part, &from, row->text, &wrong) < 0)
        core_log(core, LOG_LEVEL_WARN, "event=group_setting_passed_over group=%.*s setting=\"%.*s\"",
                 (int)row->name.size, (const char *)row->name.data, (int)wrong.size,
                 (const char *)wrong.data);
    *why = "out of memory";
    account = account_get(core, row->uid);
    bool made = account && group_new(core, account, row, &part);
    account_drop(core, account);
    return made ? 0 : -ENOMEM;
}

static struct group *group_of_id(const struct core *core, uint64_t id)
{
    struct kept_topics *kept = core->kept_topics;
    struct group *group = kept->loading;

    if (group && group->id == id)
        return group;
    list_each (group, &kept->groups, link)
        if (group->id == id)
            return kept->loading = group;
    return NULL;
}

int core_load_group_ack(struct core *core, const struct ack_row *row, const char **why)
{
    struct group *group = group_of_id(core, row->group);

    *why = group ? "out of memory" : "it is of no group";
    if (PLANTED(LOST_ACK))
        return 0;
    return group ? group_load_ack(core, &group->work, row->sequence) : -EINVAL;
}

int core_load_group_try(struct core *core, const struct ack_row *row, const char **why)
{
    struct group *group = group_of_id(core, row->group);
    size_t size;

    *why = group ? "out of memory" : "it is of no group";
    if (!group)
        return -EINVAL;
    size = group->tries_size ? 2 * group->tries_size : TRIES_FIRST;
    if (group->tries_n == group->tries_size) {
        struct loaded_try *more = core_resize(core, group->tries, size * sizeof(*more));
        if (!more)
            return -ENOMEM;
        group->tries = more;
        group->tries_size = size;
    }
    group->tries[group->tries_n++] =
        (struct loaded_try){row->sequence, row->due_us, row->tries, VALUE_REDELIVERED};
    return 0;
}
