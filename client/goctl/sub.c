/*
 * The command sub: the messages of one or several patterns, in the order in which they come.
 *
 * Of one subscription many messages are taken at once and written together; of several, each by a select. What a durable
 * subscription gives is held until it was written, with --ack until the reader of a pipe has taken it: whatever ends the command
 * before gives the rest back.
 *
 * A session that ends with its daemon takes the subscriptions with it: they are made anew when there is a daemon again. What can
 * be read again goes on behind the last message that was printed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "facts.h"
#include "from.h"
#include "message_text.h"
#include "options.h"
#include "output.h"
#include "session.h"
#include "status.h"

enum { PATTERNS_MAX = 64, AT_ONCE = 256 };

struct subscriber {
    struct session *session;
    struct gc_subscribe_options options;
    gc_chan chans[PATTERNS_MAX]; /* nil: it has ended */
    size_t n, open;
    uint64_t lost[PATTERNS_MAX]; /* messages, of which it was told */
    uint64_t last[PATTERNS_MAX]; /* sequence of the last one that was printed; 0: none, or of a live topic */
    bool unkept[PATTERNS_MAX];   /* the topic of that one is not kept any more */
    bool unasked[PATTERNS_MAX];  /* we may not ask whether it is, and take it for kept */
    size_t from;                 /* whose messages are at hand */
    bool topic;                  /* is printed */
    bool hold;
};

/* ---- options ---- */

static int take_policy(const char *text, enum gc_slow *slow)
{
    static const char *const names[] = {[GC_SLOW_DROPS_NEWEST] = "drop-newest",
                                        [GC_SLOW_DROPS_OLDEST] = "drop-oldest",
                                        [GC_SLOW_DISCONNECTS] = "disconnect",
                                        [GC_SLOW_BLOCKS] = "block"};

    for (size_t i = 0; text && i < sizeof names / sizeof *names; i++) {
        if (!strcmp(text, names[i])) {
            *slow = (enum gc_slow)i;
            return 0;
        }
    }
    if (!text)
        return 0;
    fprintf(stderr, "goctl sub: --policy: \"%s\" is not drop-newest, drop-oldest, disconnect or block\n",
            text);
    return -EINVAL;
}

static int take_from(const char *text, struct gc_subscribe_options *options)
{
    if (!text || from_parse(text, from_now_us(), options) == 0)
        return 0;
    fprintf(
        stderr,
        "goctl sub: --from: \"%s\" is not start, now, last, a sequence, a time such as 2026-03-01T12:00:00Z, "
        "or so long ago, such as 10m\n",
        text);
    return -EINVAL;
}

/* What --set says of a durable subscription: NAME=VALUE, with a blank between two. To be freed; NULL: no memory. */
static char *settings_of(const struct options *options)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; out && i < options->cases_n; i++)
        fprintf(out, "%s%s=%s", i ? " " : "", options->cases[i].name, options->cases[i].value);
    if (out && fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static bool is_wild(const char *pattern)
{
    return strpbrk(pattern, "*>") != NULL;
}

/* 0, or an exit status after the reason was told. */
static int take_options(struct subscriber *s, const struct options *options)
{
    s->options = (struct gc_subscribe_options){.size = sizeof s->options,
                                               .capacity = options->capacity,
                                               .block_ns = options->block_ns,
                                               .value_bytes_max = options->value_bytes_max,
                                               .group = options->group};
    if (take_policy(options->policy, &s->options.slow) < 0 || take_from(options->from, &s->options) < 0)
        return STATUS_USAGE;
    if (options->format && message_format_error(options->format)) {
        fprintf(stderr,
                "goctl sub: --format: \"%s\" is not %%t, %%p, %%k, %%s, %%T, %%l, %%n, %%h{NAME} or %%%%\n",
                message_format_error(options->format));
        return STATUS_USAGE;
    }
    if (options->operands_n > PATTERNS_MAX) {
        fprintf(stderr, "goctl sub: at most %d patterns\n", PATTERNS_MAX);
        return STATUS_USAGE;
    }
    if (session_check_options(options, "sub") != STATUS_OK)
        return STATUS_USAGE;
    s->hold = options->group || options->ack;
    s->topic = options->topic || options->operands_n > 1 || is_wild(options->operands[0]);
    s->topic &= !options->bare;
    return 0;
}

/* ---- subscribing ---- */

/* Whether all that comes has its place in the log: of a pattern only kept topics are read there. */
static bool reads_log(const struct subscriber *s, size_t i)
{
    bool live = s->options.from == GC_FROM_NEW || s->options.from == GC_FROM_LAST;

    return !live || (s->last[i] && !s->unkept[i] && !is_wild(s->session->options->operands[i]));
}

/* Behind what was printed. */
static struct gc_subscribe_options options_now(const struct subscriber *s, size_t i)
{
    struct gc_subscribe_options options = s->options;

    if (s->last[i] && !options.group && reads_log(s, i)) {
        options.from = GC_FROM_SEQUENCE;
        options.from_sequence = s->last[i] + 1;
    } else if (s->unkept[i]) {
        options.from = GC_FROM_NEW;
    }
    return options;
}

static int subscribe_to(struct subscriber *s, size_t i, gc_until until)
{
    struct gc_subscribe_options options = options_now(s, i);

    return gc_subscribe(s->session->client, s->session->options->operands[i], &options, &s->chans[i], until);
}

/* ---- when the daemon has gone ---- */

/* What is published on the topic is still kept: 1, or 0; negative: it cannot be asked, -EPERM: by this user. */
static int is_kept(const struct subscriber *s, const char *topic, gc_until until)
{
    struct gc_topic_page page;
    int r = gc_topic_info(s->session->client, topic, &page, until);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    for (size_t i = 0; i < page.items->settings_n; i++) {
        struct fact fact;

        fact_of(&page.items->settings[i], &fact);
        r |= !strcmp(fact.name, "durable") && fact.word && !strcmp(fact.word, "yes");
    }
    gc_topic_page_clear(&page);
    return r;
}

/* What is not kept any more does not come from the log. Who may not ask takes it for kept: nothing is missing then, if it is. */
static int look_at_topic(struct subscriber *s, size_t i, gc_until until)
{
    int r;

    s->unkept[i] = s->unasked[i] = false;
    if (!s->last[i] || s->options.group || is_wild(s->session->options->operands[i]))
        return 0;
    r = is_kept(s, s->session->options->operands[i], until);
    s->unkept[i] = r == 0;
    s->unasked[i] = r == -EPERM;
    return s->unasked[i] ? 0 : r;
}

/* Those that had not ended. 0, or the error of the first one that could not be. */
static int subscribe_again(void *arg, gc_until until)
{
    struct subscriber *s = arg;
    int r = 0;

    for (size_t i = 0; i < s->n && r >= 0; i++) {
        if (!s->chans[i].id)
            continue;
        r = look_at_topic(s, i, until);
        if (r >= 0)
            r = subscribe_to(s, i, until);
    }
    return r < 0 ? r : 0;
}

static void tell_unkept(const struct subscriber *s, size_t i)
{
    const char *topic = s->session->options->operands[i];

    if (s->unasked[i])
        fprintf(
            stderr,
            "goctl: you may not ask whether %s is kept (the right inspect): if it is not any more, nothing "
            "that is published from now on comes; end this then, and subscribe again\n",
            topic);
    if (s->unkept[i])
        fprintf(stderr, "goctl: %s is not kept any more: %s\n", topic,
                reads_log(s, i) ? "what is left of it comes, and nothing that is published from now on"
                                : "what is published from now on comes");
}

static void tell_how(const struct subscriber *s)
{
    bool reads = true;

    for (size_t i = 0; i < s->n; i++) {
        if (!s->chans[i].id)
            continue;
        reads &= reads_log(s, i);
        tell_unkept(s, i);
    }
    fprintf(stderr, "goctl: subscribed again: %s\n",
            s->options.group ? "what was not acknowledged comes again"
            : reads          ? "it goes on behind the last message"
                             : "messages that were published meanwhile may be missing");
}

/* STATUS_OK: it goes on. */
static int come_back(struct subscriber *s)
{
    int r = session_come_back(s->session, subscribe_again, s);

    if (r < 0)
        return session_fail(r, "subscribe again");
    memset(s->lost, 0, sizeof s->lost); /* those of the new ones are counted anew */
    tell_how(s);
    return STATUS_OK;
}

/* ---- printing ---- */

static void tell_lost(uint64_t lost, const char *where)
{
    if (lost)
        fprintf(stderr,
                "goctl: %" PRIu64 " messages %s were lost: there was no room for them; "
                "see --capacity and --policy\n",
                lost, where);
}

static int print_message(struct subscriber *s, const struct gc_value *value)
{
    const struct gc_message *message = gc_message(value);

    if (!message)
        return -EPROTO;
    s->lost[s->from] += message->lost;
    s->last[s->from] = message->sequence;
    if (!s->session->options->json)
        tell_lost(message->lost, "before the next one");
    return s->session->options->json ? output_json(message_json(message, value))
                                     : message_print(s->session->options, s->topic, message, value);
}

/* Acknowledges what was printed. With the last of it no receive follows that would say that it was in vain: so asks a daemon that
 * knows the subscription, and was told. *asked: what that answers is all that is known. */
static int acknowledge(struct subscriber *s, struct gc_value *last, bool more, bool *asked)
{
    struct gc_chan_info info;
    int r = gc_ack(s->session->client, last);

    *asked = r == 0 && !more && s->options.group;
    if (*asked)
        r = gc_chan_info(s->session->client, s->chans[s->from], &info, session_patience(s->session));
    return r;
}

/* `asked`: the acknowledgement has left, and may have been in time. An exit status. */
static int tell_unacknowledged(const struct subscriber *s, int error, bool asked)
{
    if (asked)
        return session_fail_hint(error, "others may get it again",
                                 "what was printed last may not be acknowledged");
    return session_fail_hint(error, s->options.group ? "others get it again" : NULL,
                             "what was printed last is not acknowledged");
}

/* Prints what was received and acknowledges it where it is held; with --ack, once its reader has it. */
static int hand_over(struct subscriber *s, struct gc_value *values, size_t n, bool more)
{
    bool asked = false;
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++)
        r = print_message(s, &values[i]);
    if (r == 0)
        r = output_flush();
    if (r == 0 && more && s->session->options->ack)
        r = output_taken(session_stop_fd());
    if (r < 0 && r != -ECANCELED)
        return output_fail(r);
    if (r == 0 && s->hold)
        r = acknowledge(s, &values[n - 1], more, &asked);
    if (r < 0 && !(more && session_comes_back(s->session, r))) /* else the next receive says so again */
        return tell_unacknowledged(s, r, asked);
    return STATUS_OK;
}

/* ---- receiving ---- */

/* One has been closed: what it lost behind its last message no message could tell. */
static void subscription_ended(struct subscriber *s, size_t i)
{
    struct gc_chan_info info;

    if (gc_chan_info(s->session->client, s->chans[i], &info, session_patience(s->session)) == 0 &&
        info.dropped > s->lost[i])
        tell_lost(info.dropped - s->lost[i], "behind the last one");
    s->chans[i] = GC_NIL;
    s->open--;
}

static int receive_one(struct subscriber *s, struct gc_value *value, unsigned flags)
{
    struct gc_case cases[PATTERNS_MAX];
    int r;

    for (size_t i = 0; i < s->n; i++)
        cases[i] = gc_case_recv(s->chans[i], value);
    r = gc_select(s->session->client, cases, s->n, flags, session_until(s->session));
    if (r < 0)
        return r;
    s->from = (size_t)r;
    if (cases[r].status == 0)
        subscription_ended(s, s->from);
    return cases[r].status;
}

/* How many messages, at most n; 0: a subscription has ended, or all have. */
static int receive_some(struct subscriber *s, struct gc_value *values, size_t n)
{
    unsigned flags = s->hold ? GC_HOLD : 0;
    int r;

    if (s->n > 1)
        return receive_one(s, values, flags);
    if (s->session->options->ack)
        n = 1;
    r = gc_recv_many(s->session->client, s->chans[0], values, n, flags, session_until(s->session));
    if (r == 0)
        subscription_ended(s, 0);
    return r;
}

/* At most `most` messages. STATUS_CLOSED, told to nobody, when all subscriptions end before. */
static int receive(struct subscriber *s, uint64_t most)
{
    struct gc_value values[AT_ONCE] = {{0}};
    int status = STATUS_OK;

    session_watch_output();
    for (uint64_t got = 0; got < most && status == STATUS_OK;) {
        size_t n = most - got < AT_ONCE ? (size_t)(most - got) : AT_ONCE;
        int r = receive_some(s, values, n);

        if (session_comes_back(s->session, r)) {
            status = come_back(s);
            continue;
        }
        if (r < 0)
            return session_fail(r, "subscription");
        if (r == 0 && s->open == 0)
            return STATUS_CLOSED;
        got += (uint64_t)r;
        status = r ? hand_over(s, values, (size_t)r, got < most) : STATUS_OK;
        for (int i = 0; i < r; i++)
            gc_value_clear(&values[i]);
    }
    return status;
}

/* ---- the command ---- */

static const char *subscribe_hint(int error)
{
    return error == -EEXIST ? "`goctl durable info NAME` shows it" : NULL;
}

static int subscribe(struct subscriber *s, const struct options *options)
{
    for (; s->n < (size_t)options->operands_n; s->n++, s->open++) {
        int r = subscribe_to(s, s->n, session_patience(s->session));

        if (r < 0)
            return session_fail_hint(r, subscribe_hint(r), "subscribe to %s", options->operands[s->n]);
    }
    return STATUS_OK;
}

/* A close is a good end, unless so many messages were wanted. */
static int status_of_close(const struct options *options)
{
    if (!options->count)
        return STATUS_OK;
    fputs("goctl: the topic was closed before\n", stderr);
    return STATUS_CLOSED;
}

static int subscribe_and_print(struct subscriber *s, const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    if (status != STATUS_OK)
        return status;
    s->session = &session;
    status = subscribe(s, options);
    if (status == STATUS_OK)
        status = receive(s, options->count ? options->count : UINT64_MAX);
    if (status == STATUS_CLOSED)
        status = status_of_close(options);
    return session_close(&session, status);
}

int command_sub(const struct options *options)
{
    struct subscriber s = {.n = 0};
    char *settings = settings_of(options);
    int status = settings ? take_options(&s, options) : STATUS_FAILURE;

    s.options.settings = settings;
    if (!settings)
        fputs("goctl: no memory\n", stderr);
    else if (status == 0)
        status = subscribe_and_print(&s, options);
    free(settings);
    return status;
}
