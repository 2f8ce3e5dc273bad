#include "worker_fixture.h"

#include <errno.h>

struct request at_once(struct request request)
{
    request.until.kind = UNTIL_NOW;
    return request;
}

struct held held_of(const struct seen *seen)
{
    assert_non_null(seen);
    assert_int_equal(seen->status, 1);
    assert_int_equal(seen->jobs_n, 1);
    return (struct held){seen->ids[0], seen->runs[0]};
}

struct held reserve(struct jobs_fixture *f, struct client *worker)
{
    return held_of(answer(f, worker, ask(f, worker, RESERVE(.max = 1))));
}

int32_t end(struct jobs_fixture *f, struct client *worker, struct held held, enum job_cause cause,
            bool permanent)
{
    uint64_t op = ask(f, worker,
                      (struct request){.verb = VERB_DONE,
                                       .done = {.job = held.job,
                                                .run = held.run,
                                                .cause = cause,
                                                .error = cause ? -EIO : 0,
                                                .permanent = permanent,
                                                .text = TEXT("words"),
                                                .result = TEXT("result")}});

    return answer(f, worker, op)->status;
}

int32_t extend(struct jobs_fixture *f, struct client *worker, struct held held, int64_t lease_ns)
{
    uint64_t op = ask(
        f, worker, (struct request){.verb = VERB_WORK_EXTEND, .work_extend = {held.job, held.run, lease_ns}});

    return answer(f, worker, op)->status;
}

uint64_t watch(struct jobs_fixture *f, struct client *worker, struct held held)
{
    return ask(f, worker, (struct request){.verb = VERB_WORK_WATCH, .work_watch = {held.job, held.run}});
}

void bye(struct jobs_fixture *f, struct client *client)
{
    struct client_frame head = {.version = PROTOCOL_VERSION, .number = ++client->frames, .bye = true};

    fixture_step(f, &(struct input){.kind = IN_FRAME,
                                    .conn = client->conn,
                                    .frame = {.head = &head, .who = client->who}});
}
