/*
 * Any text as patterns and topics: one a line, behind '+' a pattern that comes, behind '-' one that goes, else a topic that is
 * looked up. What is refused is so with words; the trie finds what pattern_match says of one pattern after the other; and what a
 * pattern begins with begins every topic that it matches.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core_internal.h"
#include "fuzz.h"
#include "trie.h"

enum { PATTERNS = 64 };

struct known {
    struct trie_entry entry;
    bool in, told;
    char text[NAME_BYTES_MAX];
};

struct patterns {
    struct core *core;
    struct trie trie;
    struct known known[PATTERNS];
};

static int note(void *arg, struct trie_entry *entry)
{
    struct known *k = map_entry(entry, struct known, entry);

    assert(k->in && !k->told);
    k->told = true;
    return 0;
}

static bool is_checked(struct bytes text, bool wild)
{
    const char *why = NULL;
    int r = wild ? pattern_check(text, &why) : topic_check(text, &why);

    assert(r == 0 || (r == -EINVAL && why) || (r == -E2BIG && text.size > NAME_BYTES_MAX));
    assert(r != 0 || wild || pattern_check(text, &why) == 0);
    return r == 0;
}

static void look(struct patterns *p, struct bytes topic)
{
    if (!is_checked(topic, false))
        return;
    assert(trie_match(p->core, &p->trie, topic, note, NULL) == 0);
    for (int i = 0; i < PATTERNS; i++) {
        struct known *k = &p->known[i];
        bool matches = k->in && pattern_match(k->entry.pattern, topic);
        struct bytes prefix = k->in ? pattern_prefix(k->entry.pattern) : (struct bytes){"", 0};

        assert(k->told == matches);
        assert(!matches || (prefix.size <= topic.size && memcmp(prefix.data, topic.data, prefix.size) == 0));
        k->told = false;
    }
}

static struct known *find(struct patterns *p, struct bytes pattern)
{
    struct trie_entry *entry = trie_find(p->core, &p->trie, pattern);

    return entry ? map_entry(entry, struct known, entry) : NULL;
}

static void come(struct patterns *p, struct bytes pattern)
{
    if (!is_checked(pattern, true) || find(p, pattern))
        return;
    for (int i = 0; i < PATTERNS; i++) {
        struct known *k = &p->known[i];

        if (k->in)
            continue;
        memcpy(k->text, pattern.data, pattern.size);
        k->entry.pattern = (struct bytes){k->text, pattern.size};
        k->in = trie_add(p->core, &p->trie, &k->entry) == 0;
        assert(k->in && find(p, pattern) == k);
        return;
    }
}

static void leave(struct patterns *p, struct known *k)
{
    trie_remove(p->core, &p->trie, &k->entry);
    k->in = false;
}

static void line(struct patterns *p, struct bytes text)
{
    const char *c = text.data;
    struct bytes behind = {c + 1, text.size ? text.size - 1 : 0};

    if (text.size && *c == '+')
        return come(p, behind);
    if (!text.size || *c != '-')
        return look(p, text);
    struct known *gone = is_checked(behind, true) ? find(p, behind) : NULL;
    if (gone)
        leave(p, gone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct limits limits = LIMITS_DEFAULT;
    static struct patterns all;
    struct patterns *p = &all;
    struct feed feed = {data, size};

    *p = (struct patterns){.core = core_new(&limits, NULL, 1, 1, 1)};
    while (feed.size) {
        const uint8_t *end = memchr(feed.data, '\n', feed.size);

        line(p, feed_bytes(&feed, end ? (size_t)(end - feed.data) : feed.size));
        feed_byte(&feed);
        trie_check(&p->trie);
    }
    for (int i = 0; i < PATTERNS; i++)
        if (p->known[i].in)
            leave(p, &p->known[i]);
    assert(!p->trie.root && !p->trie.nodes_n && !p->trie.exact.count);
    trie_free(p->core, &p->trie);
    core_delete(p->core);
    return 0;
}
