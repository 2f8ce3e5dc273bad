#!/usr/bin/env python3
"""A pool of hosts: a hundred jobs, of which as many run as it says, in as many processes; more and fewer while they run; a
host that is killed; a drain; a restart.

usage: pools.py BUILD
"""
import os, signal, sys

sys.path.insert(0, os.path.dirname(__file__))
from node import Node

JOBS = 100


def pool(node):
    return node.json("pool", "info", "p")


def goctl(node, *arguments, input=None):
    result = node.goctl(*arguments, input=input)
    assert result.returncode == 0, result
    return result.stdout


def until(node, **wanted):
    """The pool, as soon as its state is so."""
    while True:
        info = pool(node)
        if all(info["state"][name] == value for name, value in wanted.items()):
            return info


def submit(node, n):
    lines = "".join('{"argument": ""}\n' for _ in range(n))
    return goctl(node, "submit", "--bulk", "-", f"{node.plugin('pooled')}:pass", "--queue", "mail",
                 input=lines).split()


def let_through(node, n):
    goctl(node, "send", "gate", "--lines", input="x\n" * n)


def until_done(node, jobs):
    """In which processes they ran."""
    return [goctl(node, "wait", job).strip() for job in jobs]


def serving(info):
    return [host for host in info["hosts"] if host["state"] == "serving"]


def scales_under_load(node):
    jobs = submit(node, JOBS)
    info = until(node, running=10, serving=2)
    assert sorted(host["running"] for host in info["hosts"]) == [5, 5], info
    assert info["state"]["waiting"] == JOBS - 10, info
    goctl(node, "pool", "scale", "p", "4", "10")
    until(node, running=40, serving=4)
    goctl(node, "pool", "scale", "p", "1")
    info = until(node, serving=1, draining=3)
    assert info["state"]["running"] == 40 and info["state"]["ended"] == 0, info
    return jobs


def a_host_is_killed(node, jobs):
    """The jobs of all others end where they are, those of the killed one run again; none is lost, none has failed."""
    victim = serving(pool(node))[0]
    os.kill(victim["pid"], signal.SIGKILL)
    let_through(node, JOBS)
    info = until(node, running=0, ended=JOBS, draining=0)
    assert info["state"]["crashed"] == 1, info
    rows = node.json_lines("jobs", "--queue", "mail", "--state", "done", "--limit", str(2 * JOBS))
    assert sorted(str(row["job"]) for row in rows) == sorted(jobs), rows
    assert all(row["failures"] == 0 and row["crashes"] == 0 for row in rows), rows
    assert str(victim["pid"]) not in until_done(node, jobs[::10])


def drains_and_stays_so_over_a_restart(node):
    jobs = submit(node, 3)
    until(node, running=3)
    drain = node.background("pool", "drain", "p")
    until(node, drained=1)
    waiting = submit(node, 1)[0]
    let_through(node, 3)
    out, err = drain.communicate()
    assert drain.returncode == 0 and out == "drained: no job runs\n", (out, err)
    until_done(node, jobs)
    node.stop()
    node.start()
    goctl(node, "make", "gate", "--cap", str(JOBS), "--if-missing")
    info = pool(node)
    assert info["state"]["drained"] == 1 and info["settings"]["hosts"] == {"value": 1, "origin": "set"}, info
    while "its pool p is drained" not in node.json("job", waiting)["text"]:
        assert node.json("job", waiting)["state"] == "ready", node.json("job", waiting)  # its plugin is looked at first
    goctl(node, "pool", "drain", "p", "--end")
    let_through(node, 1)
    until_done(node, [waiting])


def removed_its_jobs_run_elsewhere(node):
    pids = [str(host["pid"]) for host in pool(node)["hosts"]]
    goctl(node, "pool", "rm", "p")
    job = submit(node, 1)
    let_through(node, 1)
    assert until_done(node, job)[0] not in pids


def refuses_in_words(node):
    result = node.goctl("pool", "set", "q", "hosts=2")
    assert result.returncode == 5 and "needs queues or functions" in result.stderr, result
    result = node.goctl("pool", "set", "c", "hosts=0")
    assert result.returncode == 2 and "from 1 to 1000" in result.stderr, result
    result = node.goctl("pool", "rm", "c")
    assert result.returncode != 0 and "stands in the configuration" in result.stderr, result


def main():
    with Node(sys.argv[1], "--queue", "mail.concurrency=1000", "--pool", "c.queues=nowhere", "--pool",
              "c.hosts=3") as node:
        goctl(node, "make", "gate", "--cap", str(JOBS))
        goctl(node, "pool", "set", "p", "queues=mail", f"functions={os.path.relpath(node.plugin('pooled'))}", "hosts=2",
              "goroutines=5", "min=1")
        assert pool(node)["settings"]["functions"]["value"] == [os.path.realpath(node.plugin("pooled"))]
        a_host_is_killed(node, scales_under_load(node))
        drains_and_stays_so_over_a_restart(node)
        removed_its_jobs_run_elsewhere(node)
        refuses_in_words(node)
        assert "3 " in goctl(node, "pool", "info", "c") and "config" in goctl(node, "pool", "info", "c")


main()
