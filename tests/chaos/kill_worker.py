#!/usr/bin/env python3
"""kill -9 of the daemon, of workers in C and in Python, and of clients, as kill_any.py, for jobs that no plugin has.

usage: kill_worker.py BUILD LEDGER COUNTING_WORKER [--kills N] [--clients N] [--seed N]

A worker that dies has most often reserved jobs and not completed them: each goes to another, under another run. What is
judged is what kill_any.py judges of jobs in hosts: nothing is lost, nothing is done twice under one run.
"""
import os, random, subprocess, sys

import kill_any
from kills import kill_daemon

FUNCTION = "count"  # that of ledger.c
OF_EACH = 2


class Workers:
    """Each kill replaces one. Those in Python live as long as their daemon."""

    def __init__(self, command, env):
        script = os.path.join(os.path.dirname(__file__), "counting_worker.py")
        self.commands = [[command, FUNCTION]] * OF_EACH + [[sys.executable, script, FUNCTION]] * OF_EACH
        self.env = env
        self.living = [self.start(i) for i in range(len(self.commands))]

    def start(self, i):
        return subprocess.Popen(self.commands[i], env=self.env, stderr=subprocess.DEVNULL if i >= OF_EACH else None)

    def end(self, i):
        self.living[i].kill()
        self.living[i].wait()

    def replace(self, i):
        assert self.living[i].poll() is None or i >= OF_EACH, f"worker {i} ended with {self.living[i].poll()}"
        self.end(i)
        self.living[i] = self.start(i)

    def kill(self):
        self.replace(random.randrange(len(self.living)))
        return True

    def kill_daemon(self, node):
        kill_daemon(node)
        for i in range(OF_EACH, len(self.living)):
            self.replace(i)
        return True

    def end_all(self):
        for i in range(len(self.living)):
            self.end(i)


def main():
    args = kill_any.arguments()
    with kill_any.node_of(args) as node:
        workers = Workers(args.counted, node.env)
        try:
            ways = {"daemon": lambda: workers.kill_daemon(node), "worker": workers.kill}
            kill_any.loop(args, node, "-", ways)
        finally:
            workers.end_all()


main()
