/*
 * Long times. In some seeds a span begins now and then, between faults:
 *
 *     a night: clients sleep for hours; the daemon, its hosts and a fault now and then go on
 *     a standstill: nothing goes on for hours or days, as on a machine that is suspended
 *     a downtime: the daemon dies, and starts again hours or days later, perhaps by another clock on the wall
 */
#include "schedules.h"

#define MINUTE_NS (60 * S)
#define HOUR_NS   (60 * MINUTE_NS)
#define WALL_NS   (1700000000 * S) /* of the wall clock when that of the simulator began */

int64_t sim_wall_ns(const struct sim *sim)
{
    return WALL_NS + sim->now_ns + sim->lives->schedules->set_ns;
}

bool asleep(const struct sim *sim)
{
    return sim->now_ns < sim->lives->schedules->dawn_ns;
}

bool time_has_passed(const struct sim *sim)
{
    int64_t passed_ns = sim->lives->schedules->passed_ns;

    return passed_ns && sim->now_ns < passed_ns + 1 * S;
}

int64_t until_dawn(struct sim *sim)
{
    return sim->lives->schedules->dawn_ns - sim->now_ns + between(sim, 0, 2 * MS);
}

int64_t until_fault(struct sim *sim)
{
    int64_t rest = asleep(sim) ? until_dawn(sim) : 0,
            next = asleep(sim) ? between(sim, 600, 10000) * S : between(sim, 1 * MS, 12 * MS);

    return rest && rest < next ? rest : next;
}

/* Minutes count as much as days. Of nights each minute is worked through. */
static int64_t draw_span(struct sim *sim, bool night)
{
    static const int64_t most[] = {5 * MINUTE_NS, 2 * HOUR_NS, 9 * HOUR_NS, 100 * HOUR_NS};

    return between(sim, 1, most[below(sim, night ? 3 : 4)] / S) * S + between(sim, 0, 1 * S);
}

/* Everything that was to happen happens so much later; but for what the daemon was to do by its clock, of which that much has
 * passed: a turn of its loop asks the clock, and has IN_TICK when it is time. Without one the core fires no more timers. */
static void pass(struct sim *sim, int64_t ns)
{
    for (size_t i = 0; i < sim->heap_n; i++)
        sim->heap[i].at_ns += ns;
    for (size_t i = 1; i <= sim->conns_n; i++) /* frames under way keep their order */
        for (int way = 0; way < 2; way++)
            sim->conns[i].last_ns[way] += ns;
    sim->now_ns += ns;
    sim->lives->schedules->passed_ns = sim->now_ns;
    judge_breaker_jumped(sim, ns);
    daemon_sees_time(sim);
    judge_schedules_refused(sim);
}

/* Ids of jobs that are forgotten do not come again, whatever it shows (job_id_keep): where that counts it shows less than before
 * the time that has passed. */
static void set_clock(struct sim *sim, int64_t passed_ns, bool back)
{
    struct schedule_book *book = sim->lives->schedules;
    int64_t by_ns = draw_span(sim, false), shows_ns = sim_wall_ns(sim);

    if (shows_ns > book->latest_ns)
        book->latest_ns = shows_ns;
    book->set_ns += back ? -passed_ns - by_ns : chance(sim, 1, 4) ? by_ns : -by_ns;
    judge_schedules_refused(sim);
    sim_note(sim, "the clock on the wall is %lld s", (long long)(sim_wall_ns(sim) / S));
}

/* The newest job is one that nobody will know of any more, perhaps: then a restart by another clock on the wall is worth it. */
static bool newest_is_brief(struct sim *sim)
{
    const struct life *life = life_find(sim, sim->lives->id_most);

    return life && life->queue == BRIEF;
}

bool span_begins(struct sim *sim)
{
    struct schedule_book *book = sim->lives->schedules;

    if (!sim_is_long(sim) || asleep(sim) || !chance(sim, 1, 5))
        return false;
    uint64_t what = newest_is_brief(sim) ? 1 : below(sim, 3);
    int64_t ns = draw_span(sim, what == 2);
    switch (what) {
    case 0:
        pass(sim, ns);
        break;
    case 1:
        if (!sim->daemon.up)
            break;
        sim->faults[FAULT_RESTART]++;
        daemon_crash(sim);
        pass(sim, ns);
        if (newest_is_brief(sim) || chance(sim, 1, 3))
            set_clock(sim, ns, newest_is_brief(sim));
        break;
    default:
        book->dawn_ns = sim->now_ns + ns;
        break;
    }
    sim_note(sim, "a span of %lld s", (long long)(ns / S));
    return true;
}
