#include "queue_policy.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "pattern.h"

const struct policy_row policy_rows[POLICY_FIELDS] = {
#define POLICY_ROW(name, unit, value, least, most, help) {#name, unit, help, value, least, most},
    POLICIES(POLICY_ROW)
#undef POLICY_ROW
};

_Static_assert(offsetof(struct queue_policy, list) == POLICY_FIELDS * sizeof(uint64_t),
               "a member for each row");
_Static_assert(POLICY_FIELDS <= 64, "a bit for each row");

#define LIST_VALUE_MAX 1000000000ull

int policy_field(struct bytes name)
{
    for (int i = 0; i < POLICY_FIELDS; i++)
        if (name.size && bytes_are(name, policy_rows[i].name, strlen(policy_rows[i].name)))
            return i;
    return -ENOENT;
}

/* The n-th of words between `|`; size 0: there are fewer. */
static struct bytes word_at(const char *words, uint64_t n)
{
    const char *end;

    for (; (end = strchr(words, '|')) && n; n--)
        words = end + 1;
    return (struct bytes){words, n ? 0 : end ? (size_t)(end - words) : strlen(words)};
}

static bool has_words(const struct policy_row *row)
{
    return strchr(row->unit, '|') != NULL;
}

static bool has_list(const struct policy_row *row)
{
    return strncmp(row->unit, "list of", 7) == 0;
}

static bool has_topic(const struct policy_row *row)
{
    return strcmp(row->unit, "topic") == 0;
}

static struct bytes write_list(const uint32_t *list, uint64_t n, char room[POLICY_TEXT_BYTES])
{
    size_t size = 0;

    if (!n)
        return (struct bytes){"none", 4};
    for (uint64_t i = 0; i < n; i++)
        size += (size_t)__builtin_snprintf(room + size, POLICY_TEXT_BYTES - size, i ? ",%u" : "%u", list[i]);
    return (struct bytes){room, size};
}

struct bytes policy_word(const struct queue_policy *policy, enum policy_field field,
                         char room[POLICY_TEXT_BYTES])
{
    const struct policy_row *row = &policy_rows[field];
    uint64_t value = *((const uint64_t *)policy + field);

    if (has_list(row))
        return write_list(policy->list, value, room);
    if (has_topic(row))
        return value ? (struct bytes){memcpy(room, policy->topic, value), value} : (struct bytes){"none", 4};
    return policy_row_word(row, value);
}

struct bytes policy_row_word(const struct policy_row *row, uint64_t value)
{
    return has_words(row) ? word_at(row->unit, value) : (struct bytes){0};
}

size_t policy_demand(enum policy_field field, char *to, size_t size)
{
    return policy_row_demand(&policy_rows[field], to, size);
}

size_t policy_row_demand(const struct policy_row *row, char *to, size_t size)
{
    int n;

    if (has_list(row))
        n = __builtin_snprintf(to, size, "none, or a %s, at most %llu of them, each at most %llu", row->unit,
                               (unsigned long long)row->most, LIST_VALUE_MAX);
    else if (has_topic(row))
        n = __builtin_snprintf(to, size, "none, or a topic of at most %llu bytes",
                               (unsigned long long)row->most);
    else if (has_words(row))
        n = __builtin_snprintf(to, size, "one of %s", row->unit);
    else
        n = __builtin_snprintf(to, size, "a number of %s from %llu to %llu", row->unit,
                               (unsigned long long)row->least, (unsigned long long)row->most);
    return (size_t)n < size ? (size_t)n : size - 1;
}

static int read_word(const struct policy_row *row, struct bytes text, uint64_t *value)
{
    for (uint64_t i = row->least; i <= row->most; i++) {
        struct bytes word = word_at(row->unit, i);
        if (!text.size || !bytes_are(text, word.data, word.size))
            continue;
        *value = i;
        return 0;
    }
    return -EINVAL;
}

static int read_number(const struct policy_row *row, struct bytes text, uint64_t *value)
{
    const char *digits = text.data;
    uint64_t sum = 0;

    for (size_t i = 0; i < text.size; i++)
        if (digits[i] < '0' || digits[i] > '9' || __builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(digits[i] - '0'), &sum))
            return -EINVAL;
    if (!text.size || sum < row->least || sum > row->most)
        return -EINVAL;
    *value = sum;
    return 0;
}

int policy_row_read(const struct policy_row *row, struct bytes text, uint64_t *value)
{
    return has_words(row) ? read_word(row, text, value) : read_number(row, text, value);
}

static size_t span(struct bytes text, const char *stop)
{
    const char *at = text.data;
    size_t n = 0;

    while (n < text.size && !(at[n] && strchr(stop, at[n])))
        n++;
    return n;
}

static struct bytes behind(struct bytes text, size_t n)
{
    return n ? (struct bytes){(const char *)text.data + n, text.size - n} : text; /* may be no bytes at all */
}

/* Numbers with commas between them, or `none`. */
static int read_list(struct policy_part *part, enum policy_field field, struct bytes text)
{
    static const struct policy_row one = {.least = 0, .most = LIST_VALUE_MAX};
    uint32_t list[POLICY_LIST_MAX] = {0};
    uint64_t n = 0, value;
    bool none = bytes_are(text, "none", 4);

    while (!none && n <= policy_rows[field].most) {
        struct bytes number = {text.data, span(text, ",")};
        if (n == policy_rows[field].most || read_number(&one, number, &value) < 0)
            return -EINVAL;
        list[n++] = (uint32_t)value;
        if (number.size == text.size)
            break;
        text = behind(text, number.size + 1);
    }
    memcpy(part->policy.list, list, sizeof(list));
    *policy_value(&part->policy, field) = n;
    return 0;
}

/* What topics begin with, or `none`. */
static int read_topic(struct policy_part *part, enum policy_field field, struct bytes text)
{
    const char *why;
    bool none = bytes_are(text, "none", 4);

    if (!none && (text.size > policy_rows[field].most || topic_check(text, &why) < 0))
        return -EINVAL;
    if (!none)
        memcpy(part->policy.topic, text.data, text.size);
    *policy_value(&part->policy, field) = none ? 0 : text.size;
    return 0;
}

int policy_set(struct policy_part *part, enum policy_field field, struct bytes text)
{
    const struct policy_row *row = &policy_rows[field];
    int r = has_list(row)    ? read_list(part, field, text)
            : has_topic(row) ? read_topic(part, field, text)
                             : policy_row_read(row, text, policy_value(&part->policy, field));

    if (r == 0)
        part->set |= UINT64_C(1) << field;
    return r;
}

bool policy_token(struct bytes *text, struct bytes *name, struct bytes *value)
{
    struct bytes token;

    while (text->size && span(*text, " \n") == 0)
        *text = behind(*text, 1);
    token = (struct bytes){text->data, span(*text, " \n")};
    *text = behind(*text, token.size);
    *name = (struct bytes){token.data, span(token, "=")};
    *value = behind(token, name->size + (name->size < token.size));
    return token.size > 0;
}

void policy_sum(const struct policy_part parts[ORIGINS], struct queue_policy *sum, uint8_t *origin)
{
    for (int i = 0; i < POLICY_FIELDS; i++) {
        origin[i] = ORIGIN_DEFAULT;
        *policy_value(sum, i) = policy_rows[i].value;
        for (int from = ORIGIN_DEFAULT; from < ORIGINS; from++) {
            if (!(parts[from].set >> i & 1))
                continue;
            origin[i] = (uint8_t)from;
            *policy_value(sum, i) = *((const uint64_t *)&parts[from].policy + i);
            if (i == POLICY_delays_ms)
                memcpy(sum->list, parts[from].policy.list, sizeof(sum->list));
            if (i == POLICY_states)
                memcpy(sum->topic, parts[from].policy.topic, sizeof(sum->topic));
        }
    }
}
