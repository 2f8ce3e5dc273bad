#!/usr/bin/env python3
"""kill -9 of the daemon (at any time, and around a commit), of hosts and of clients, while the states of all jobs are kept on a topic.

usage: kill_states.py BUILD LEDGER COUNTED [--kills N] [--clients N] [--seed N]

As kill_any.py, whose judge looks at jobs and runs. At the end the log of states is read from its start (IP18): each job that anybody
was told of begins in it, and each whose end was told has its end there, once, of the run that was told; its states come in an
order in which a job can come to them, with runs that rise, and nothing follows its end. What a daemon that was killed had running
may run anew without another word, and what was ready by time alone may be so twice (IP18.4).
"""
import json

import kill_any
from kills import kill_daemon, kill_host, kill_in_commit

TOPIC = "chaos.jobs"
ENDS = {"done", "failed", "cancelled", "dead"}
NEXT = {
    None: {"ready", "scheduled", "blocked"},
    "scheduled": {"ready", "cancelled", "failed"},
    "ready": {"ready", "running", "cancelled", "failed"},
    "running": {"running", "ready", "scheduled"} | ENDS,
}


def judge_job(job, states):
    """(state, run) of one job, in their order."""
    before, last = None, 0
    for state, run in states:
        if state not in NEXT.get(before, ()):
            yield f"job {job}: {state} behind {before}"
        if state == "running" and run <= last:
            yield f"job {job}: run {run} behind run {last}"
        before, last = state, run or last


def judge_states(told, log):
    """What the rules do not allow in "JOB STATE RUN", in words. `told`: the run by which each job ended, as was told."""
    jobs = {}
    for job, state, *run in (line.split() for line in log):
        jobs.setdefault(job, []).append((state, int(run[0]) if run else 0))
    faults = [fault for job, states in jobs.items() for fault in judge_job(job, states)]
    for job, run in told.items():
        ends = [state for state in jobs.get(job, []) if state[0] in ENDS]
        if ends != [("done", run)]:
            faults.append(f"job {job}: the end of run {run} was told, the log has {ends}")
    return faults


def prove_the_judge():
    told = {"1": 7}
    log = ["1 ready", "2 ready", "1 running 5", "1 running 6", "1 ready 6", "1 running 7", "1 done 7", "2 running 8"]
    assert judge_states(told, log) == []
    for bad in (log[1:], log[:-2], [*log, "1 done 7"], [*log, "1 running 9"], [*log, "2 running 8"], [*log, "2 blocked"], [*log, "3 done 9"]):
        assert judge_states(told, bad), bad
    assert judge_states({"1": 6}, log) and judge_states({"1": 7, "3": 9}, log)


def log_of(node):
    """All that is there now."""
    listed = node.goctl("topic", "ls", f"{TOPIC}.>", "--json")
    number = sum(json.loads(line)["messages"] for line in listed.stdout.splitlines())
    read = node.goctl("sub", f"{TOPIC}.>", "--from", "start", "-n", str(number), "--format", "%h{job} %h{state} %h{run}", timeout=600)
    assert number and read.returncode == 0, (number, read.returncode, read.stderr)
    return read.stdout.splitlines()


def main():
    args = kill_any.arguments()
    prove_the_judge()
    with kill_any.node_of(args, "--queue", f"default.states={TOPIC}", "--topic", f"{TOPIC}.>.durable=yes") as node:
        ways = {"daemon": lambda: kill_daemon(node), "commit": lambda: kill_in_commit(node), "host": lambda: kill_host(node)}

        def states(lines):
            kill_daemon(node)
            log = log_of(node)
            told = {job: int(run) for what, job, run in (line.split() for line in lines) if what == "E"}
            print(f"{len(log)} states, {len(told)} ends were told")
            return judge_states(told, log)

        kill_any.loop(args, node, args.counted, ways, states)


if __name__ == "__main__":
    main()
