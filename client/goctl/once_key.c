#include "once_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "quantity.h"

/* The number of the word in the list; the first when there is no word; -EINVAL. */
static int word_of(const char *option, const char *word, const char *const words[3])
{
    for (int i = 0; i < 3; i++)
        if (!word || !strcmp(word, words[i]))
            return i;
    fprintf(stderr, "goctl submit: %s \"%s\" is not %s, %s or %s\n", option, word, words[0], words[1],
            words[2]);
    return -EINVAL;
}

static int parse_for(const char *text, int64_t *ns)
{
    *ns = GC_ONCE_UNTIL_END;
    if (!text || !strcmp(text, "end"))
        return 0;
    *ns = GC_ONCE_UNTIL_DELETED;
    if (!strcmp(text, "deleted"))
        return 0;
    if (parse_duration(text, ns) == 0 && *ns > 0)
        return 0;
    fprintf(stderr, "goctl submit: --once-for \"%s\" is not end, deleted or a time, such as 1h\n", text);
    return -EINVAL;
}

int once_key_parse(const struct options *options, struct gc_once *once)
{
    static const char *const scopes[] = {"function", "queue", "all"}, *const policies[] = {"reject",
                                                                                           "replace", "join"};
    int scope = word_of("--once-scope", options->once_scope, scopes);
    int policy = word_of("--once-policy", options->once_policy, policies);

    *once = (struct gc_once){.key = options->once_key};
    if (scope < 0 || policy < 0 || parse_for(options->once_for, &once->for_ns) < 0)
        return -EINVAL;
    once->scope = (enum gc_once_scope)scope;
    once->policy = (enum gc_once_policy)policy;
    if (once->key || (!options->once_scope && !options->once_policy && !options->once_for))
        return 0;
    fprintf(stderr, "goctl submit: --once-scope, --once-policy and --once-for need --once-key\n");
    return -EINVAL;
}
