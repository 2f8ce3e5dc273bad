#include "group_policy.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "engine.h"
#include "pattern.h"

const struct policy_row group_rows[GROUP_FIELDS] = {
#define GROUP_ROW(name, unit, value, least, most, help) {#name, unit, help, value, least, most},
    GROUP_POLICIES(GROUP_ROW)
#undef GROUP_ROW
};

_Static_assert(offsetof(struct group_policy, dead_size) == GROUP_FIELDS * sizeof(uint64_t),
               "a member for each row");

static uint64_t *value_at(struct group_part *part, int field)
{
    return (uint64_t *)&part->policy + field;
}

void group_part_init(struct group_part *part)
{
    *part = (struct group_part){.set = 0};
    for (int i = 0; i < GROUP_FIELDS; i++)
        *value_at(part, i) = group_rows[i].value;
}

static bool is(struct bytes text, const char *word)
{
    return bytes_are(text, word, strlen(word));
}

static int field_of(struct bytes name)
{
    for (int i = 0; i < GROUP_FIELDS; i++)
        if (is(name, group_rows[i].name))
            return i;
    return -ENOENT;
}

static int read_from(struct group_from *from, struct bytes value)
{
    static const struct policy_row number = {.unit = "", .most = INT64_MAX};
    bool time = value.size && *(const char *)value.data == '@';
    struct bytes digits = {(const char *)value.data + time, value.size - time};
    uint64_t n = 0;

    *from = (struct group_from){.said = true, .from = is(value, "start") ? FROM_START : FROM_NEW};
    if (is(value, "start") || is(value, "new"))
        return 0;
    if (policy_row_read(&number, digits, &n) < 0)
        return -EINVAL;
    from->from = time ? FROM_TIME : FROM_SEQUENCE;
    from->sequence = time ? 0 : n;
    from->time_us = time ? (int64_t)n : 0;
    return 0;
}

static int read_dead(struct group_part *part, struct bytes value)
{
    const char *why;

    if (value.size && topic_check(value, &why) < 0)
        return -EINVAL;
    part->policy.dead_size = (uint8_t)value.size;
    if (value.size)
        memcpy(part->policy.dead, value.data, value.size);
    return 0;
}

static int read_row(struct group_part *part, int field, struct bytes value)
{
    uint64_t number = group_rows[field].value;

    if (value.size && policy_row_read(&group_rows[field], value, &number) < 0)
        return -EINVAL;
    *value_at(part, field) = number;
    part->set &= ~(UINT32_C(1) << field);
    if (value.size)
        part->set |= UINT32_C(1) << field;
    return 0;
}

static int read_one(struct group_part *part, struct group_from *from, struct bytes name, struct bytes value)
{
    int field = field_of(name);

    if (field >= 0)
        return read_row(part, field, value);
    if (is(name, "dead"))
        return read_dead(part, value);
    return is(name, "from") ? read_from(from, value) : -EINVAL;
}

int group_part_read(struct group_part *part, struct group_from *from, struct bytes text, struct bytes *wrong)
{
    struct bytes name, value;
    int r = 0;

    while (policy_token(&text, &name, &value)) {
        int one = read_one(part, from, name, value);
        if (one < 0 && r == 0) {
            *wrong = (struct bytes){name.data, (size_t)((const char *)text.data - (const char *)name.data)};
            r = one;
        }
    }
    return r;
}

size_t group_part_why(struct bytes wrong, char *to, size_t size)
{
    const char *text = wrong.data, *equals = memchr(text, '=', wrong.size);
    struct bytes name = {text, equals ? (size_t)(equals - text) : wrong.size};
    int field = field_of(name);
    size_t n;

    if (field < 0 && !is(name, "dead") && !is(name, "from"))
        return text_write(to, size, "'%.*s': there is no such setting of a group", (int)name.size, text);
    n = text_write(to, size, "'%.*s' is not ", (int)wrong.size, text);
    if (field >= 0)
        return n + policy_row_demand(&group_rows[field], to + n, size - n);
    return n + text_write(to + n, size - n,
                          is(name, "dead") ? "a topic" : "start, new, a sequence or @MICROSECONDS");
}

struct bytes group_word(const struct group_policy *policy, enum group_field field)
{
    return policy_row_word(&group_rows[field], group_value(policy, field));
}

static size_t write_row(const struct group_part *part, enum group_field field, char *to, size_t size)
{
    struct bytes word = group_word(&part->policy, field);

    if (word.size)
        return text_write(to, size, "%s=%.*s ", group_rows[field].name, (int)word.size,
                          (const char *)word.data);
    return text_write(to, size, "%s=%llu ", group_rows[field].name,
                      (unsigned long long)group_value(&part->policy, field));
}

struct bytes group_part_write(const struct group_part *part, char *to, size_t size)
{
    size_t n = 0;

    for (int i = 0; i < GROUP_FIELDS; i++)
        if (part->set >> i & 1)
            n += write_row(part, (enum group_field)i, to + n, size - n);
    if (part->policy.dead_size)
        n += text_write(to + n, size - n, "dead=%.*s ", part->policy.dead_size, part->policy.dead);
    return (struct bytes){to, n + 1 < size ? n : 0};
}
