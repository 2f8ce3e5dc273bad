#!/usr/bin/env python3
"""kill -9 of the daemon while 64 clients submit; nothing acknowledged may be lost.

usage: kill_daemon.py BUILD LEDGER [--kills N] [--clients N] [--seed N]

The daemon is killed when the ledger has grown by a number of lines drawn from a printed seed, then once at each point
around a commit, and started again on the same directory each time. At the end every job in the ledger must be done,
with its own argument as its result.
"""
import argparse, os, random, signal, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
from ledger import Ledger, PROGRESS_SECONDS
from node import Node

# Points of the store at which the daemon ends itself as by kill -9, at a passing well into the load.
POINTS = ["store-begin=20", "store-record=40", "store-before-commit=20", "store-commit=20", "store-after-commit=20",
          "store-checkpoint=1"]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("ledger")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1000000)
    return parser.parse_args()


def kill_between(node, kills, ledger):
    for _ in range(kills):
        ledger.wait_for(random.randrange(1, 400))
        node.kill()
        node.start()


def kill_at_points(node):
    for point in POINTS:
        node.kill()
        node.start(GOROUTINED_FAULTS=f"{point}:kill")
        status = node.process.wait(PROGRESS_SECONDS)
        assert status == -signal.SIGKILL, (point, status)
        node.start()


def main():
    args = arguments()
    random.seed(args.seed)
    print(f"seed {args.seed}", flush=True)
    with Node(args.build) as node:
        file = f"{node.folder}/ledger"
        ledger = Ledger([args.ledger, "submit", file, node.plugin("trial"), str(args.clients)], node.env)
        try:
            kill_between(node, args.kills, ledger)
            kill_at_points(node)
            ledger.wait_for(args.clients)
            ledger.stop()
        finally:
            ledger.end()
        subprocess.run([args.ledger, "verify", file], env=node.env, timeout=300, check=True)
        assert node.stop() == 0
        print(f"{args.kills} kills and {len(POINTS)} at points of a commit, {ledger.jobs} jobs acknowledged")


main()
