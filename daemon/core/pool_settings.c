#include "pool_settings.h"

#include <errno.h>
#include <string.h>

#include "engine.h"

const struct pool_row pool_rows[POOL_FIELDS] = {
#define POOL_NUMBER_ROW(name, unit, value, least, most, help) {#name, unit, help, value, least, most},
    POOL_NUMBERS(POOL_NUMBER_ROW)
#undef POOL_NUMBER_ROW
#define POOL_LIST_ROW(name, help) {#name, NULL, help, 0, 0, 0},
        POOL_LISTS(POOL_LIST_ROW)
#undef POOL_LIST_ROW
};

static bool is(struct bytes text, const char *word)
{
    return bytes_are(text, word, strlen(word));
}

int pool_field(struct bytes name)
{
    for (int i = 0; i < POOL_FIELDS; i++)
        if (is(name, pool_rows[i].name))
            return i;
    return -ENOENT;
}

/* ---- words ---- */

bool pool_word(struct bytes *list, struct bytes *word)
{
    const char *text = list->data, *comma;

    if (!list->size)
        return false;
    comma = memchr(text, ',', list->size);
    size_t n = comma ? (size_t)(comma - text) : list->size;
    *word = (struct bytes){text, n};
    n += comma != NULL;
    *list = (struct bytes){text + n, list->size - n};
    return true;
}

/* `*` is any bytes. Of several stars only the last one is tried again: the time is the product of the sizes. */
static bool matches(struct bytes pattern, struct bytes text)
{
    const char *p = pattern.data, *t = text.data;
    size_t at = 0, i = 0, star = SIZE_MAX, from = 0;

    while (i < text.size) {
        if (at < pattern.size && p[at] == '*') {
            star = at++;
            from = i;
        } else if (at < pattern.size && p[at] == t[i]) {
            at++;
            i++;
        } else if (star != SIZE_MAX) {
            at = star + 1;
            i = ++from;
        } else {
            return false;
        }
    }
    while (at < pattern.size && p[at] == '*')
        at++;
    return at == pattern.size;
}

/* A colon behind the last slash separates path and function. */
static void split(struct bytes word, struct bytes *path, struct bytes *function)
{
    const char *text = word.data;
    size_t at = word.size;

    *path = word;
    *function = (struct bytes){"*", 1};
    while (at && text[at - 1] != ':' && text[at - 1] != '/')
        at--;
    if (!at || text[at - 1] == '/')
        return;
    path->size = at - 1;
    *function = (struct bytes){text + at, word.size - at};
}

bool pool_has_queue(struct bytes queues, struct bytes queue)
{
    struct bytes word;

    if (!queues.size)
        return true;
    while (pool_word(&queues, &word))
        if (matches(word, queue))
            return true;
    return false;
}

bool pool_has_function(struct bytes functions, struct bytes plugin, struct bytes function)
{
    struct bytes word, path, name;

    if (!functions.size)
        return true;
    while (pool_word(&functions, &word)) {
        split(word, &path, &name);
        if (matches(path, plugin) && matches(name, function))
            return true;
    }
    return false;
}

bool pool_has_plugin(struct bytes functions, struct bytes plugin)
{
    struct bytes word, path, name;

    if (!functions.size)
        return true;
    while (pool_word(&functions, &word)) {
        split(word, &path, &name);
        if (matches(path, plugin))
            return true;
    }
    return false;
}

struct bytes pool_plugin(struct bytes word)
{
    struct bytes path, name;

    split(word, &path, &name);
    return memchr(path.data, '*', path.size) ? (struct bytes){0} : path;
}

/* ---- text ---- */

static bool word_fits(struct bytes word, enum pool_field field)
{
    const char *text = word.data;
    struct bytes path, name;

    if (!word.size || word.size > POOL_WORD_MAX || memchr(text, 0, word.size))
        return false;
    if (field == POOL_queues)
        return true;
    split(word, &path, &name);
    return (text[0] == '/' || text[0] == '*') && path.size && name.size;
}

static int read_list(struct pool_part *part, enum pool_field field, struct bytes value)
{
    struct bytes left = value, word;

    if (((const char *)value.data)[value.size - 1] == ',')
        return -EINVAL;
    while (pool_word(&left, &word))
        if (!word_fits(word, field))
            return -EINVAL;
    part->list[field - POOL_NUMBER_FIELDS] = value;
    return 0;
}

static int read_number(struct pool_part *part, enum pool_field field, struct bytes value)
{
    const struct policy_row row = {
        .unit = "", .least = pool_rows[field].least, .most = pool_rows[field].most};

    return policy_row_read(&row, value, &part->number[field]);
}

/* No value: what the configuration says. */
static int read_one(struct pool_part *part, struct bytes name, struct bytes value)
{
    int field = pool_field(name), r;

    if (field < 0 && (!is(name, ".drained") || !is(value, "1")))
        return -EINVAL;
    if (field < 0) {
        part->drained = true;
        return 0;
    }
    part->set &= ~(UINT32_C(1) << field);
    if (!value.size)
        return 0;
    r = pool_rows[field].unit ? read_number(part, (enum pool_field)field, value)
                              : read_list(part, (enum pool_field)field, value);
    if (r == 0)
        part->set |= UINT32_C(1) << field;
    return r;
}

int pool_part_read(struct pool_part *part, struct bytes text, struct bytes *wrong)
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

size_t pool_part_why(struct bytes wrong, char *to, size_t size)
{
    const char *text = wrong.data, *equals = memchr(text, '=', wrong.size);
    size_t name = equals ? (size_t)(equals - text) : wrong.size;
    int field = pool_field((struct bytes){text, name});

    if (field < 0)
        return text_write(to, size, "'%.*s': there is no such setting of a pool", (int)name, text);
    if (!pool_rows[field].unit)
        return text_write(to, size, "'%.*s' is no list of %s with a comma between two", (int)wrong.size, text,
                          field == POOL_queues ? "queues" : "/PATH or /PATH:FUNCTION");
    return text_write(to, size, "'%.*s' is not a number of %s from %llu to %llu", (int)wrong.size, text,
                      pool_rows[field].unit, (unsigned long long)pool_rows[field].least,
                      (unsigned long long)pool_rows[field].most);
}

static size_t write_one(const struct pool_part *part, int field, char *to, size_t size)
{
    if (field < POOL_NUMBER_FIELDS)
        return text_write(to, size, "%s=%llu ", pool_rows[field].name,
                          (unsigned long long)part->number[field]);
    struct bytes list = pool_part_list(part, (enum pool_field)field);
    return text_write(to, size, "%s=%.*s ", pool_rows[field].name, (int)list.size, (const char *)list.data);
}

struct bytes pool_part_write(const struct pool_part *part, char *to, size_t size)
{
    size_t n = 0;

    for (int i = 0; i < POOL_FIELDS; i++)
        if (part->set >> i & 1)
            n += write_one(part, i, to + n, size - n);
    if (part->drained)
        n += text_write(to + n, size - n, ".drained=1 ");
    return (struct bytes){to, n + 1 < size ? n : 0};
}

void pool_part_sum(const struct pool_part parts[ORIGINS], struct pool_part *sum, uint8_t origin[POOL_FIELDS])
{
    *sum = (struct pool_part){.drained = parts[ORIGIN_SET].drained};
    for (int i = 0; i < POOL_FIELDS; i++) {
        origin[i] = ORIGIN_DEFAULT;
        if (i < POOL_NUMBER_FIELDS)
            sum->number[i] = pool_rows[i].value;
        for (int from = ORIGIN_CONFIG; from < ORIGINS; from++) {
            if (!(parts[from].set >> i & 1))
                continue;
            origin[i] = (uint8_t)from;
            if (i < POOL_NUMBER_FIELDS)
                sum->number[i] = parts[from].number[i];
            else
                sum->list[i - POOL_NUMBER_FIELDS] = parts[from].list[i - POOL_NUMBER_FIELDS];
        }
    }
}
