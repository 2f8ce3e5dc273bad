#include "pattern.h"

#include <errno.h>
#include <string.h>

#include "core.h"

/* Wildcards are no letters of names, so a token has at most one of them, which is all of it. */
bool token_is_any(struct bytes token)
{
    return token.size == 1 && *(const char *)token.data == '*';
}

bool token_is_rest(struct bytes token)
{
    return token.size == 1 && *(const char *)token.data == '>';
}

bool token_next(struct bytes *rest, struct bytes *token)
{
    const char *from = rest->data, *dot;

    if (!rest->size)
        return false;
    dot = memchr(from, '.', rest->size);
    *token = (struct bytes){from, dot ? (size_t)(dot - from) : rest->size};
    size_t taken = token->size + (dot != NULL);
    *rest = (struct bytes){from + taken, rest->size - taken};
    return true;
}

static int fault(const char **why, int error, const char *words)
{
    *why = words;
    return error;
}

static int token_check(struct bytes token, bool wild, bool last, const char **why)
{
    if (!token.size)
        return fault(why, -EINVAL, "has an empty token");
    if (wild && token_is_any(token))
        return 0;
    if (wild && token_is_rest(token))
        return last ? 0 : fault(why, -EINVAL, "has a '>' that is not its last token");
    if (name_check(token) == 0)
        return 0;
    if (memchr(token.data, '*', token.size) || memchr(token.data, '>', token.size))
        return fault(why, -EINVAL, wild ? "has a wildcard within a token" : "has a wildcard");
    return fault(why, -EINVAL, "has bytes other than A-Z a-z 0-9 _ . : / -");
}

static int check(struct bytes text, bool wild, const char **why)
{
    struct bytes rest = text, token;

    if (!text.size)
        return fault(why, -EINVAL, "is empty");
    if (text.size > NAME_BYTES_MAX)
        return fault(why, -E2BIG, "has more than 255 bytes");
    if (((const char *)text.data)[text.size - 1] == '.')
        return fault(why, -EINVAL, "has an empty token");
    while (token_next(&rest, &token)) {
        int r = token_check(token, wild, !rest.size, why);

        if (r < 0)
            return r;
    }
    return 0;
}

int topic_check(struct bytes topic, const char **why)
{
    return check(topic, false, why);
}

int pattern_check(struct bytes pattern, const char **why)
{
    return check(pattern, true, why);
}

bool pattern_is_exact(struct bytes pattern)
{
    return pattern_prefix(pattern).size == pattern.size;
}

bool pattern_match(struct bytes pattern, struct bytes topic)
{
    struct bytes token, wanted;

    while (token_next(&pattern, &wanted)) {
        if (!token_next(&topic, &token))
            return false;
        if (token_is_rest(wanted))
            return true;
        if (!token_is_any(wanted) && !bytes_are(wanted, token.data, token.size))
            return false;
    }
    return !topic.size;
}

struct bytes pattern_prefix(struct bytes pattern)
{
    const char *text = pattern.data;
    size_t n = 0;

    while (n < pattern.size && text[n] != '*' && text[n] != '>')
        n++;
    return (struct bytes){text, n};
}
