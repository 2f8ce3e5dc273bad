#include "topic_policy.h"

#include <errno.h>
#include <string.h>

#include "engine.h"
#include "pattern.h"

const struct policy_row topic_rows[TOPIC_FIELDS] = {
#define TOPIC_ROW(name, unit, value, least, most, help) {#name, unit, help, value, least, most},
    TOPIC_POLICIES(TOPIC_ROW)
#undef TOPIC_ROW
};

_Static_assert(sizeof(struct topic_policy) == TOPIC_FIELDS * sizeof(uint64_t), "a member for each row");
_Static_assert(TOPIC_FIELDS <= 32, "a bit for each row");

int topic_field(struct bytes name)
{
    for (int i = 0; i < TOPIC_FIELDS; i++)
        if (bytes_are(name, topic_rows[i].name, strlen(topic_rows[i].name)))
            return i;
    return -ENOENT;
}

/* ---- text ---- */

/* No value: what another origin says. */
static int read_one(struct topic_part *part, struct bytes name, struct bytes value)
{
    int field = topic_field(name), r = 0;
    uint64_t number;

    if (field < 0)
        return -EINVAL;
    if (value.size && (r = policy_row_read(&topic_rows[field], value, &number)) < 0)
        return r;
    part->set &= ~(UINT32_C(1) << field);
    if (!value.size)
        return 0;
    part->set |= UINT32_C(1) << field;
    *topic_value(&part->policy, (enum topic_field)field) = number;
    return 0;
}

int topic_part_read(struct topic_part *part, struct bytes text, struct bytes *wrong)
{
    struct bytes name, value;
    int r = 0;

    while (policy_token(&text, &name, &value)) {
        int one = read_one(part, name, value);
        if (one < 0 && r == 0) {
            *wrong = (struct bytes){name.data, (size_t)((const char *)text.data - (const char *)name.data)};
            r = one;
        }
    }
    return r;
}

size_t topic_part_why(struct bytes wrong, char *to, size_t size)
{
    const char *text = wrong.data, *equals = memchr(text, '=', wrong.size);
    size_t name = equals ? (size_t)(equals - text) : wrong.size;
    int field = topic_field((struct bytes){text, name});

    if (field < 0)
        return text_write(to, size, "'%.*s': there is no such setting of a topic", (int)name, text);
    size_t n = text_write(to, size, "'%.*s' is not ", (int)wrong.size, text);
    return n + policy_row_demand(&topic_rows[field], to + n, size - n);
}

struct bytes topic_word(const struct topic_policy *policy, enum topic_field field)
{
    return policy_row_word(&topic_rows[field], *((const uint64_t *)policy + field));
}

static size_t write_one(const struct topic_part *part, enum topic_field field, char *to, size_t size)
{
    struct bytes word = topic_word(&part->policy, field);

    if (word.size)
        return text_write(to, size, "%s=%.*s ", topic_rows[field].name, (int)word.size,
                          (const char *)word.data);
    return text_write(to, size, "%s=%llu ", topic_rows[field].name,
                      (unsigned long long)*((const uint64_t *)&part->policy + field));
}

struct bytes topic_part_write(const struct topic_part *part, char *to, size_t size)
{
    size_t n = 0;

    for (int i = 0; i < TOPIC_FIELDS; i++)
        if (part->set >> i & 1)
            n += write_one(part, (enum topic_field)i, to + n, size - n);
    return (struct bytes){to, n + 1 < size ? n : 0};
}

void topic_part_sum(const struct topic_part parts[ORIGINS], struct topic_policy *sum, uint8_t *origin)
{
    for (int i = 0; i < TOPIC_FIELDS; i++) {
        origin[i] = ORIGIN_DEFAULT;
        *topic_value(sum, (enum topic_field)i) = topic_rows[i].value;
        for (int from = ORIGIN_CONFIG; from < ORIGINS; from++) {
            if (!(parts[from].set >> i & 1))
                continue;
            origin[i] = (uint8_t)from;
            *topic_value(sum, (enum topic_field)i) = *((const uint64_t *)&parts[from].policy + i);
        }
    }
}

/* ---- the rule that fits best ---- */

enum token_rank { TOKEN_WORD, TOKEN_ANY, TOKEN_REST, TOKEN_NONE };

/* The kind of the next token, which is taken off. */
static enum token_rank token_take(struct bytes *pattern)
{
    struct bytes token;

    if (!token_next(pattern, &token))
        return TOKEN_NONE;
    return token_is_any(token) ? TOKEN_ANY : token_is_rest(token) ? TOKEN_REST : TOKEN_WORD;
}

int pattern_rank(struct bytes a, struct bytes b)
{
    enum token_rank of_a, of_b;

    do {
        of_a = token_take(&a);
        of_b = token_take(&b);
    } while (of_a == of_b && of_a != TOKEN_NONE);
    return (int)of_a - (int)of_b;
}
