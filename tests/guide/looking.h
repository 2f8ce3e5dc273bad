/*
 * For rows between processes that look into a job: one participant directs, one is the job and does as it is told, one
 * looks when it is asked to. They use the channels of LOOKING_CHANNELS.
 */
#pragma once

#include "goclient_inspect.h"
#include "goroutine.h"
#include "goroutine_host.h"
#include "parts.h"

#define LOOKING_CHANNELS                                                                                     \
    {"orders"}, {"obeyed"}, {"look"},                                                                        \
    {                                                                                                        \
        "looked"                                                                                             \
    }

/* ---- the director ---- */

static inline void send_word(struct part *me, const char *to, const char *answers, const char *word)
{
    char answer[TEXT_BYTES];

    send_text(me, chan_of(me, to), "%s", word);
    must(recv_text(me, chan_of(me, answers), answer) && strcmp(answer, word) == 0);
}

/* Until the job has obeyed. */
static inline void order(struct part *me, const char *word)
{
    send_word(me, "orders", "obeyed", word);
}

/* Until the looker has looked. */
static inline void have_looked(struct part *me, const char *word)
{
    send_word(me, "look", "looked", word);
}

/* Starts the job, and tells the looker its number. */
static inline gc_job start_watched(struct part *me, const char *function)
{
    gc_job job = submit_part(me, function, 0);

    until_waiting(me, chan_of(me, "orders"), 0, 1);
    send_text(me, chan_of(me, "look"), "%llu", (unsigned long long)job.id);
    return job;
}

static inline void end_watched(struct part *me, gc_job job)
{
    close_chan(me, chan_of(me, "orders"));
    close_chan(me, chan_of(me, "look"));
    must(gc_wait(me->g, job, NULL, GC_FOREVER) == 1);
}

/* ---- the looker ---- */

static inline gc_job watched_job(struct part *me)
{
    char text[TEXT_BYTES];

    must(recv_text(me, chan_of(me, "look"), text));
    return (gc_job){strtoull(text, NULL, 10)};
}

/* What its host tells; to be freed. */
static inline char *ask(struct part *me, gc_job job, enum gc_ask what, bool pprof, size_t *size)
{
    struct gc_question question = {.size = sizeof question, .what = what, .job = job, .pprof = pprof};
    struct gc_told told;
    char *text;

    must(gc_inspect(me->g, &question, &told, GC_FOREVER) == 0);
    text = malloc(told.bytes + 1);
    must(text != NULL);
    memcpy(text, told.text, told.bytes);
    text[told.bytes] = '\0';
    if (size)
        *size = told.bytes;
    gc_told_clear(&told);
    return text;
}

static inline int times_of(const char *text, const char *words)
{
    int times = 0;

    for (; (text = strstr(text, words)); text += strlen(words))
        times++;
    return times;
}

/* ---- the job ---- */

struct watched_count {
    const char *reason;
    int n;
};

static inline int watched_add(const struct go_info *info, void *arg)
{
    struct watched_count *count = arg;

    count->n += info->state == GO_STATE_PARKED && strcmp(info->reason, count->reason) == 0;
    return 0;
}

/* Until so many goroutines of the job wait for that. */
static inline void until_job_waits(int n, const char *reason)
{
    struct watched_count count = {reason, -1};

    while (count.n != n) {
        go_yield();
        count.n = 0;
        go_each(go_group_current(), watched_add, &count);
    }
}
