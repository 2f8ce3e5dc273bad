#!/usr/bin/env python3
"""kill -9 of the daemon, of hosts and of clients, in turn and at random, while clients submit jobs and wait for them.

usage: kill_any.py BUILD LEDGER COUNTED [--kills N] [--clients N] [--seed N]

Clients write each acknowledged job and each end they are told into files that outlive them; so does the job's function
(counted_plugin.c). At the end every acknowledged job must be done, with its own argument as its result; no run may have
been begun or completed twice, and no job may have got another run after its end was told, which was that of a run that
completed. (A host of a daemon that was killed may still be in the middle of an older run.)
"""
import argparse, os, random, subprocess, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
from kills import kill_daemon, kill_host
from ledger import Ledger, PROGRESS_SECONDS
from node import Node

PROCESSES = 3


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("ledger")
    parser.add_argument("counted", help="what runs the jobs")
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--clients", type=int, default=8, help="in each of a few processes")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1000000)
    return parser.parse_args()


def judge(lines):
    """What the rules do not allow in the lines "S|C|E id run", in words."""
    seen, told, faults = set(), {}, []
    for what, job, run in (line.split() for line in lines):
        if what == "E":
            told[job] = int(run)
            if ("C", job, run) not in seen:
                faults.append(f"job {job}: the end of run {run} was told, which had not completed")
            continue
        if (what, job, run) in seen:
            faults.append(f"job {job}: run {run} was {'begun' if what == 'S' else 'completed'} twice")
        if int(run) > told.get(job, sys.maxsize):
            faults.append(f"job {job}: run {run} after the end of run {told[job]} was told")
        seen.add((what, job, run))
    return faults


def prove_the_judge():
    good = ["S 1 5", "S 1 6", "C 1 6", "E 1 6"]
    assert judge(good) == []
    for bad in (["C 1 6"], ["S 1 6"]):
        assert judge(good[:3] + bad), bad
    for bad in (["S 1 7"], ["E 1 5"]):
        assert judge(good + bad), bad


class Crowd:
    """Processes of clients. Each kill replaces one."""

    def __init__(self, start):
        self.start, self.news = start, threading.Condition()
        self.dead, self.living = 0, [start(self.news) for _ in range(PROCESSES)]

    def jobs(self):
        return self.dead + sum(ledger.jobs for ledger in self.living)

    def wait_for(self, more):
        goal = self.jobs() + more
        with self.news:
            while self.jobs() < goal:
                ended = [ledger for ledger in self.living if ledger.ended]
                assert not ended, f"clients ended with {ended[0].process.wait()}"
                assert self.news.wait(PROGRESS_SECONDS), f"no progress at {self.jobs()} of {goal} jobs"

    def kill(self):
        victim = self.living.pop(random.randrange(PROCESSES))
        victim.end()
        self.dead += victim.jobs
        self.living.append(self.start(self.news))
        return True


def kill_all(crowd, ways, kills):
    ways = ways | {"client": crowd.kill}
    killed = dict.fromkeys(ways, 0)
    for i in range(kills):
        crowd.wait_for(random.randrange(1, 100))
        whom = random.choice(list(ways)) if i >= len(ways) else list(ways)[i]
        killed[whom] += ways[whom]()
    assert all(killed.values()), killed
    return killed


def node_of(args, *options):
    random.seed(args.seed)
    print(f"seed {args.seed}", flush=True)
    prove_the_judge()
    return Node(args.build, "--limit", "crashes_max=1000", "--limit", "retained_jobs_max=1000000", *options)


def loop(args, node, plugin, ways, also=lambda lines: []):
    """Clients submit jobs of the plugin while those are killed whom `ways` tell, and clients. `also` finds further faults."""
    file, runs = f"{node.folder}/ledger", f"{node.folder}/runs"
    command = [args.ledger, "submit", file, plugin, str(args.clients), runs]
    crowd = Crowd(lambda news: Ledger(command, node.env, news))
    try:
        killed = kill_all(crowd, ways, args.kills)
        crowd.wait_for(args.clients)
        for ledger in crowd.living:
            ledger.stop()
    finally:
        for ledger in crowd.living:
            ledger.end()
    subprocess.run([args.ledger, "verify", file], env=node.env, timeout=600, check=True)
    with open(runs) as told:
        lines = told.readlines()
    faults = judge(lines) + also(lines)
    assert not faults, "\n".join(faults[:20])
    assert node.stop() == 0
    vain = sum(line[0] == "S" for line in lines) - sum(line[0] == "C" for line in lines)
    print(f"killed {killed}, {crowd.jobs()} jobs acknowledged, {vain} runs begun in vain")


def main():
    args = arguments()
    with node_of(args) as node:
        loop(args, node, args.counted, {"daemon": lambda: kill_daemon(node), "host": lambda: kill_host(node)})


if __name__ == "__main__":
    main()
