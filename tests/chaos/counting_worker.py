"""A worker whose runs are counted outside of everything that may be killed, as counting_worker.c, which tells the lines.

It works until its daemon dies.

usage: counting_worker.py FUNCTION
"""
import sys

import goroutine_client
from goroutine_worker import Worker


def note(what, task):
    file = task.argument.partition(b":")[0]
    with open(file, "ab", buffering=0) as runs:
        runs.write(f"{what} {task.job} {task.run}\n".encode())


def main():
    worker = Worker()

    @worker.function(sys.argv[1])
    def count(task):
        note("S", task)
        task.progress(0.5)
        note("C", task)
        return task.argument

    try:
        worker.run()
    except (goroutine_client.Failed, OSError) as ended:
        sys.exit(f"counting_worker.py: {ended}")


main()
