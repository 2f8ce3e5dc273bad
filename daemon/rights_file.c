#include "rights_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "table_file.h"
#include "why.h"

#define WHO_UID "uid:"
#define WHO_KEY "key:"

/* ---- the words of a row ---- */

static int read_uid(const char *text, uint32_t *uid)
{
    char *end;

    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number >= ACCOUNT_KEYS)
        return -EINVAL;
    *uid = (uint32_t)number;
    return 0;
}

static int read_who(const char *text, struct right_row *row, char **why)
{
    int r = -EINVAL;

    if (!strcmp(text, "*")) {
        row->anybody = true;
        return 0;
    }
    if (!strncmp(text, WHO_UID, strlen(WHO_UID)))
        r = read_uid(text + strlen(WHO_UID), &row->account);
    else if (!strncmp(text, WHO_KEY, strlen(WHO_KEY)) && key_name_good(text + strlen(WHO_KEY))) {
        row->account = key_account(text + strlen(WHO_KEY));
        r = 0;
    }
    return r < 0 ? why_set(why, r, "'%s' is nobody: write uid:NUMBER, key:NAME, or * for everybody", text)
                 : 0;
}

static int read_groups(const char *text, uint32_t *groups, char **why)
{
    char known[128] = "";

    for (const char *word = text; *word;) {
        size_t size = strcspn(word, ",");
        uint32_t group = rights_group(word, size);
        if (!group) {
            rights_words(GROUPS_ALL, known, sizeof(known) - 1);
            return why_set(why, -EINVAL,
                           "'%.*s' is no group of verbs: write all, or with commas between them %s",
                           (int)size, word, known);
        }
        *groups |= group;
        word += size + (word[size] == ',');
    }
    return *groups ? 0 : why_set(why, -EINVAL, "'%s' names no group of verbs", text);
}

/* A pattern would be taken for a name that nobody has. */
static int read_prefix(const char *text, struct right_row *row, char **why)
{
    if (!strcmp(text, "*"))
        return 0;
    if (strpbrk(text, "*?"))
        return why_set(why, -EINVAL, "'%s' is a pattern: write what the names begin with, or * alone for all",
                       text);
    row->prefix = (struct bytes){strdup(text), strlen(text)};
    return row->prefix.data ? 0 : -ENOMEM;
}

/* ---- the table ---- */

static int append(struct rights *rights, const struct right_row *row, char **why)
{
    if (rights->n >= RIGHT_ROWS_MAX)
        return why_set(why, -EINVAL, "more than %d rows", RIGHT_ROWS_MAX);
    struct right_row *more = realloc(rights->rows, (rights->n + 1) * sizeof(*row));
    if (!more)
        return -ENOMEM;
    rights->rows = more;
    rights->rows[rights->n++] = *row;
    return 0;
}

int rights_add(void *context, const char *const *words, char **why)
{
    struct right_row row = {0};
    int r = read_who(words[0], &row, why);

    if (r == 0)
        r = read_groups(words[1], &row.groups, why);
    if (r == 0)
        r = read_prefix(words[2], &row, why);
    if (r == 0)
        r = append(context, &row, why);
    if (r < 0)
        free((void *)row.prefix.data);
    return r;
}

int rights_read(const char *path, struct rights **out, char **why)
{
    struct rights *rights = calloc(1, sizeof(*rights));
    struct table_reader reader = {
        .words = 3, .form = "WHO VERBS PREFIX", .row = rights_add, .context = rights};
    int r = rights ? table_file_read(path, &reader, why) : -ENOMEM;

    if (r < 0)
        rights = rights_delete(rights);
    *out = rights;
    return r;
}

struct rights *rights_delete(struct rights *rights)
{
    for (size_t i = 0; rights && i < rights->n; i++)
        free((void *)rights->rows[i].prefix.data);
    if (rights)
        free(rights->rows);
    free(rights);
    return NULL;
}
