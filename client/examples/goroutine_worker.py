#!/usr/bin/python3
"""goroutine_worker.py: a worker for a goroutined in Python: it runs functions of this program for the jobs that no plugin has.

    worker = Worker(["mail"])                    # the queues it takes jobs of

    @worker.function("send")                     # goctl submit --queue mail :send < letter
    def send(task):
        task.progress(0.5, "connected")
        return deliver(task.argument)            # bytes: the result of the job

    worker.run()                                 # until SIGTERM or SIGINT: the job at hand is finished first

What a function returns is the result. Whatever it raises fails the job: it is tried again if its policy says so, and not when
that is a Permanent. A job that is cancelled, or out of time, says so by task.cancelled. While a function runs in a thread of
its own, the session - which one thread at a time may use - says what it says and keeps its lease.

Needs what goroutine_client.py needs, and that beside it."""

import concurrent.futures
import queue
import signal
import subprocess
import sys
import threading
import time

import goroutine_client
from goroutine_client import pb

LEASE_NS = 30_000_000_000
ERROR, RETURNED = 1, 7  # enum job_cause
OUTLIVES = 1  # of a submit: enum submit_flags
EIO = 5


class Permanent(Exception):
    """It would fail again."""


class Task:
    """A job that is ours: `job` and `run`, its number, name it; `attempt` counts its failures so far."""

    def __init__(self, row):
        self.job, self.run, self.attempt = row.id, row.run, row.attempt
        self.function, self.queue = row.function.decode(), row.queue.decode()
        self.argument = row.argument.body
        self.cancelled = threading.Event()  # it is to be ended, or ours no more
        self.said = queue.SimpleQueue()
        self.next = []

    def submit(self, function, argument=b"", **how):
        """A further job for workers, submitted in one step with the end of this one: both happen or neither, whoever dies."""
        self.next.append((function, argument, how))

    def progress(self, fraction, text=""):
        """How far it is, from 0 to 1, and in words."""
        self.said.put({"progress": pb.Progress(job=self.job, run=self.run, fraction=fraction, text=text.encode())})

    def print(self, text):
        """Appends to the kept output of the job."""
        self.said.put({"print": pb.Print(job=self.job, run=self.run, output=pb.Value(body=text.encode()))})


class Worker:
    def __init__(self, queues=("default",), endpoint=None, lease_ns=LEASE_NS):
        self.client = goroutine_client.Client(endpoint, "worker.py")
        self.queues, self.lease_ns = " ".join(queues).encode(), lease_ns
        self.functions = {}
        self.stop = goroutine_client.Stop()
        self.threads = concurrent.futures.ThreadPoolExecutor(1)

    def function(self, name):
        """Jobs of this name are for the function behind it."""
        def register(function):
            self.functions[name] = function
            return function
        return register

    # ---- what is said of a task

    def call(self, **verb):
        """One operation about a run. False: it is ours no more, or is to be ended."""
        try:
            self.client.call(**verb)
            return True
        except goroutine_client.Failed as failed:
            if failed.status in (pb.STALE, pb.CANCELED):
                return False
            if failed.status == pb.OVER_LIMIT and "print" in verb:
                return True  # its output is full: what is more is dropped
            raise

    def done(self, task, **how):
        return self.call(done=pb.Done(job=task.job, run=task.run, **how))

    def succeed(self, task, result):
        values, parts = goroutine_client.pack([result or b"", *(argument for _, argument, _ in task.next)])
        if not task.next:
            return self.call(parts=parts, done=pb.Done(job=task.job, run=task.run, result=values[0]))
        jobs = [pb.Submit(function=function.encode(), argument=value, flags=OUTLIVES, **how)
                for (function, _, how), value in zip(task.next, values[1:])]
        soon = time.monotonic_ns() + self.lease_ns // 3  # nobody extends the lease meanwhile
        try:
            return self.call(parts=parts, until=soon,
                             transact=pb.Transact(job=task.job, run=task.run, result=values[0], jobs=jobs))
        except goroutine_client.Failed as failed:  # of one of them: nothing has happened, and the worker goes on
            if failed.doubt:
                raise
            return self.done(task, cause=ERROR, error=-EIO, text=f"its further jobs: {failed}".encode())

    def keep(self, task):
        """Another lease."""
        kept = self.call(work_extend=pb.WorkExtend(job=task.job, run=task.run, lease_ns=self.lease_ns))
        if not kept:
            task.cancelled.set()

    # ---- the work

    def reserve(self, until=goroutine_client.FOREVER):
        """The next task; None: there was none until then, or the worker is to end."""
        what = pb.WorkReserve(queues=self.queues, functions=" ".join(self.functions).encode(), max=1,
                              lease_ns=self.lease_ns)
        try:
            return Task(self.client.call(work_reserve=what, until=until, stop=self.stop).jobs[0])
        except goroutine_client.Failed as failed:
            if failed.status in (pb.CANCELED, pb.WOULD_BLOCK, pb.TIMED_OUT):
                return None
            raise

    def attend(self, task, future):
        """Says what the function wants said, and keeps the lease, until it has ended."""
        future.add_done_callback(lambda _: task.said.put(None))
        every = self.lease_ns / 3e9
        due = time.monotonic() + every
        while True:
            try:
                verb = task.said.get(timeout=max(0, due - time.monotonic()))
                if verb is None:
                    return
                if not self.call(**verb):
                    task.cancelled.set()
            except queue.Empty:
                pass
            if time.monotonic() >= due:  # whatever was said
                self.keep(task)
                due = time.monotonic() + every

    def work(self, task):
        """Runs its function to the end. Whether what came of it counts."""
        future = self.threads.submit(self.functions[task.function], task)
        self.attend(task, future)
        try:
            return self.succeed(task, future.result())
        except goroutine_client.Failed:
            raise
        except Exception as error:  # of the function: it is the job's
            return self.done(task, cause=ERROR, error=-EIO, text=f"{type(error).__name__}: {error}".encode(),
                             permanent=isinstance(error, Permanent))

    def run(self, until=goroutine_client.FOREVER):
        """One task after the other, until it is told to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.cancel())
        while task := self.reserve(until):
            self.work(task)
        self.bye()

    def bye(self):
        self.threads.shutdown()
        self.client.bye()


def main():
    """A function for everything: the argument is the input of the command, its output the result."""
    if len(sys.argv) < 4:
        sys.exit(f"usage: {sys.argv[0]} QUEUE FUNCTION COMMAND…")
    worker = Worker([sys.argv[1]])

    @worker.function(sys.argv[2])
    def run(task):
        return subprocess.run(sys.argv[3:], input=task.argument, stdout=subprocess.PIPE, check=True).stdout

    worker.run()


if __name__ == "__main__":
    main()
