/*
 * What a host records because somebody asked for it: a profile of CPU time or of allocations, or a trace. It ends with the
 * scope of whoever asked (unless that wanted it detached), and then nothing of it is kept; or after recording_s, and then the
 * host keeps what it has for whoever asks for it in time.
 *
 *     OFF ─► ON ─► HALTED ─► OFF       by a question (*_STOP), by the end of the scope, by the next start
 *             └──────┴──► DROPPING     memory was out when the host should be told: it is told later
 *
 * Invariants: ON and DROPPING have a timer, OFF and HALTED none. The order to a host names the dump that began the recording, so
 * that one which comes late does not end another.
 */
#include <assert.h>
#include <errno.h>

#include "jobs_internal.h"

static struct recording *recording_of(struct host *host, uint32_t what)
{
    return &host->recordings[(what - INSPECT_CPU_START) / 2];
}

static void off(struct core *core, struct recording *recording)
{
    list_remove(&recording->link);
    timer_disarm(core, &recording->timer);
    recording->state = RECORDING_OFF;
}

/* 0: the host was told, or listens no more and is about to end. -ENOMEM. */
static int tell(struct core *core, struct recording *recording, uint32_t order)
{
    struct offer offer = {.kind = OFFER_DUMP, .what = order, .value = recording->number};
    int r = host_tell(core, recording->host, &offer);

    return r == -ENOMEM ? r : 0;
}

static void fire(struct core *core, struct timer *timer);

static void drop(struct core *core, struct recording *recording)
{
    int r = tell(core, recording, INSPECT_DROP);

    off(core, recording);
    if (r == 0)
        return;
    recording->state = RECORDING_DROPPING;
    timer_arm(core, &recording->timer, time_after(core->now.mono_ns, RETRY_NS), fire);
}

static void fire(struct core *core, struct timer *timer)
{
    struct recording *recording = container_of(timer, struct recording, timer);

    if (recording->state == RECORDING_DROPPING)
        drop(core, recording);
    else if (tell(core, recording, INSPECT_HALT) < 0)
        timer_arm(core, timer, time_after(core->now.mono_ns, RETRY_NS), fire);
    else
        recording->state = RECORDING_HALTED;
}

void recording_begun(struct core *core, struct host *host, const struct offer *start, struct scope *scope,
                     bool detached)
{
    struct recording *recording = recording_of(host, start->what);
    int64_t limit_ns = (int64_t)core->limits.recording_s * 1000000000;

    off(core, recording);
    recording->number = start->job;
    recording->state = RECORDING_ON;
    timer_arm(core, &recording->timer, time_after(core->now.mono_ns, limit_ns), fire);
    if (!scope)
        drop(core, recording);
    else if (!detached)
        list_append(&scope->recordings, &recording->link);
}

void recording_ended(struct core *core, struct host *host, uint32_t what)
{
    off(core, recording_of(host, what));
}

void recordings_scope_end(struct core *core, struct scope *scope)
{
    struct recording *recording;

    while ((recording = list_first(&scope->recordings, struct recording, link)))
        drop(core, recording);
}

int recordings_reserve(struct core *core)
{
    for (int i = 0; i < RECORDINGS; i++) {
        if (timers_reserve(core) == 0)
            continue;
        while (i--)
            timers_unreserve(core);
        return -ENOMEM;
    }
    return 0;
}

void recordings_unreserve(struct core *core)
{
    for (int i = 0; i < RECORDINGS; i++)
        timers_unreserve(core);
}

void recordings_init(struct host *host)
{
    for (int i = 0; i < RECORDINGS; i++) {
        host->recordings[i].host = host;
        list_init(&host->recordings[i].link);
    }
}

void recordings_fini(struct core *core, struct host *host)
{
    for (int i = 0; i < RECORDINGS; i++)
        off(core, &host->recordings[i]);
    recordings_unreserve(core);
}

void recordings_check(const struct host *host)
{
    for (int i = 0; i < RECORDINGS; i++) {
        const struct recording *recording = &host->recordings[i];

        assert((recording->state == RECORDING_ON || recording->state == RECORDING_DROPPING) ==
                   timer_armed(&recording->timer) &&
               "no recording goes on without an end in sight");
    }
}
