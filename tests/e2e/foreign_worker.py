"""foreign_worker.py GOROUTINED: the worker in Python against a real daemon. A test is a function whose name states one outcome."""

import threading

import foreign
import goroutine_client
import goroutine_worker
from foreign import ENDPOINT
from goroutine_client import pb

READY, RUNNING, DONE, FAILED, CANCELLED = 3, 4, 5, 6, 7  # enum job_state


def submit(client, function, argument=b"", **how):
    values, parts = goroutine_client.pack([argument])
    return client.call(parts, submit=pb.Submit(function=function.encode(), argument=values[0], flags=1, **how)).handle


def wait(client, job):
    return client.call(job_wait=pb.JobWait(job=job)).jobs[0]


def info(client, job):
    return client.call(job_info=pb.JobInfoOf(job=job)).jobs[0]


def worker_of(name, function, **how):
    worker = goroutine_worker.Worker(endpoint=ENDPOINT, **how)
    worker.function(name)(function)
    return worker


def test_what_a_function_returns_is_the_result_however_large():
    client, large = goroutine_client.Client(ENDPOINT), bytes(range(256)) * 400
    worker = worker_of("reverse", lambda task: task.argument[::-1])
    jobs = [submit(client, "reverse", large), submit(client, "reverse", b"abc")]
    for _ in jobs:
        assert worker.work(worker.reserve())
    assert [wait(client, job).result.body for job in jobs] == [large[::-1], b"cba"]
    assert worker.reserve(goroutine_client.NOW) is None
    worker.bye()


def test_what_a_function_raises_fails_the_job_for_good_if_it_says_so():
    def fail(task):
        raise goroutine_worker.Permanent("never") if task.argument else ValueError("not today")

    client, worker = goroutine_client.Client(ENDPOINT), worker_of("fail", fail)
    again = submit(client, "fail", attempts_max=2, backoff_ns=1)
    worker.work(worker.reserve())
    task = worker.reserve()
    assert (task.job, task.attempt) == (again, 1)
    worker.work(task)
    assert b"ValueError: not today" in wait(client, again).text
    never = submit(client, "fail", b"x", attempts_max=2, backoff_ns=1)
    worker.work(worker.reserve())
    row = wait(client, never)
    assert (row.state, row.attempt) == (FAILED, 1) and b"never" in row.text
    worker.bye()


def test_further_jobs_come_with_the_end_of_one():
    def split(task):
        for word in task.argument.split():
            task.submit("count", word * 20000)  # longer than what goes in the frame itself
        return b"split"

    client, worker = goroutine_client.Client(ENDPOINT), worker_of("split", split)
    worker.function("count")(lambda task: str(len(task.argument)).encode())
    job = submit(client, "split", b"one three")
    assert worker.work(worker.reserve())
    assert wait(client, job).result.body == b"split"
    tasks = [worker.reserve(), worker.reserve()]
    assert all(worker.work(task) for task in tasks)
    assert [wait(client, task.job).result.body for task in tasks] == [b"60000", b"100000"]
    worker.bye()


def test_a_further_job_that_is_refused_fails_the_one_at_hand_alone():
    def send(task):
        if task.argument:
            task.submit("count", b"x", queue=task.argument)
        return b"sent"

    client, worker = goroutine_client.Client(ENDPOINT), worker_of("astray", send)
    astray, good = submit(client, "astray", b"nowhere"), submit(client, "astray")
    assert worker.work(worker.reserve()) and worker.work(worker.reserve())
    row = wait(client, astray)
    assert row.state == FAILED and b"its further jobs: NOT_FOUND" in row.text, row
    assert wait(client, good).result.body == b"sent"
    worker.bye()


def test_progress_and_output_are_told_while_it_works():
    def work(task):
        asker = goroutine_client.Client(ENDPOINT)
        task.progress(0.5, "half")
        task.print("a line\n")
        while asker.call(job_output=pb.JobOutput(job=task.job, max=100)).output.body != b"a line\n":
            pass
        half = info(asker, task.job).progress
        asker.bye()
        return half

    client, worker = goroutine_client.Client(ENDPOINT), worker_of("tell", work)
    job = submit(client, "tell")
    assert worker.work(worker.reserve())
    assert wait(client, job).result.body == b"half"
    worker.bye()


def test_a_lease_is_kept_while_the_function_talks():
    kept = threading.Semaphore(0)

    def work(task):
        for _ in range(2):
            while not kept.acquire(blocking=False):
                task.progress(0.5, "still")
                while not task.said.empty():
                    pass
        return b"kept"

    client, worker = goroutine_client.Client(ENDPOINT), worker_of("chatty", work)
    job = submit(client, "chatty")
    task = worker.reserve()
    worker.lease_ns, worker.keep = 30_000_000, lambda _: kept.release()
    assert worker.work(task)
    assert wait(client, job).result.body == b"kept"
    worker.bye()


def test_a_cancel_reaches_the_function_and_how_that_ends_counts():
    def work(task):
        asker = goroutine_client.Client(ENDPOINT)
        asker.call(job_cancel=pb.JobCancel(job=task.job))
        asker.bye()
        task.cancelled.wait()
        if not task.argument:
            raise InterruptedError("as it was asked to")
        return task.argument

    def keep_long(task):
        worker.lease_ns = goroutine_worker.LEASE_NS
        keep(task)

    client, worker = goroutine_client.Client(ENDPOINT), worker_of("stop", work)
    keep, worker.keep = worker.keep, keep_long
    for argument, state in ((b"", CANCELLED), (b"done nevertheless", DONE)):
        job = submit(client, "stop", argument, grace_ns=60_000_000_000)
        task = worker.reserve()
        worker.lease_ns = 30_000_000  # it asks after its task every 10 ms, and is not late whatever the machine does
        worker.work(task)
        row = wait(client, job)
        assert (row.state, row.result.body) == (state, argument), row
    worker.bye()


def test_IP4_a_worker_whose_session_ends_gives_its_job_to_another():
    client, first, second = goroutine_client.Client(ENDPOINT), worker_of("twice", None), worker_of("twice", lambda _: b"2")
    job = submit(client, "twice")
    task = first.reserve()
    first.client.lifeline.close()  # as the end of its process does
    again = second.reserve()
    assert again.job == task.job == job and again.run > task.run
    assert second.work(again)
    row = wait(client, job)
    assert (row.state, row.attempt, row.result.body) == (DONE, 0, b"2")
    second.bye()


def test_a_lease_that_is_not_extended_ends_and_the_old_run_is_stale():
    client, first, second = goroutine_client.Client(ENDPOINT), worker_of("slow", None, lease_ns=1), worker_of("slow", None)
    job = submit(client, "slow")
    task = first.reserve()
    again = second.reserve()
    assert (task.job, again.job) == (job, job) and again.run > task.run
    assert not first.succeed(task, b"late") and second.succeed(again, b"in time")
    assert wait(client, job).result.body == b"in time"
    first.bye()
    second.bye()


foreign.main(dict(globals()))
