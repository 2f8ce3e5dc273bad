#!/usr/bin/env python3
"""What code of a plugin is kept from: more rights than its host has, the system calls of daemon/host/denied.h, more memory
and more of the processors than the configuration says.

usage: isolation.py BUILD
"""
import os, pathlib, re, sys

sys.path.insert(0, os.path.dirname(__file__))
from node import Node

TABLE = pathlib.Path(__file__).parents[2] / "daemon/host/denied.h"
ROW = re.compile(r"\bDENIED\((\w+), ([A-Z]+)\)")
ALL_CAPABILITIES = 1 << 38


def submit(node, function, argument="", status=0):
    """The output of a job, which ends with that status of goctl."""
    result = node.goctl("submit", f"{node.plugin('bounded')}:{function}", argument, "--wait", "--retries", "1")
    assert result.returncode == status, (function, argument, result)
    return result.stdout


def last_record(node):
    return node.json("job", str(node.json_lines("jobs")[-1]["job"]))


def own_status(row):
    with open("/proc/self/status") as file:
        return next(line.split()[1] for line in file if line.startswith(f"{row}:"))


def answers(node):
    return dict(line.split() for line in submit(node, "ask_all").splitlines())


def nothing_is_taken_by_default(node):
    assert submit(node, "status", "NoNewPrivs").split() == ["NoNewPrivs:", "1"]
    assert submit(node, "status", "Seccomp").split()[1] == own_status("Seccomp")
    if int(own_status("CapEff"), 16) < ALL_CAPABILITIES or own_status("Seccomp") != "0":
        print("without all rights the kernel itself answers some of them with EPERM: not looked at")
        return
    given = answers(node)
    assert "EPERM" not in given.values(), [name for name, answer in given.items() if answer == "EPERM"]


def each_call_is_denied_as_the_table_says(node, table):
    assert submit(node, "status", "Seccomp").split() == ["Seccomp:", "2"]
    given = answers(node)
    wanted = {name: answer for name, answer in table.items() if answer != "SIGSYS" and name in given}
    assert given == wanted, {name: (given[name], wanted.get(name)) for name in given if given[name] != wanted.get(name)}
    assert len(given) > 40
    for name, answer in table.items():
        if answer == "SIGSYS":
            a_call_ends_the_host(node, name)


def a_call_ends_the_host(node, name):
    submit(node, "ask_one", name, status=9)
    record = last_record(node)
    assert (record["state"], record["cause"], record["crashes"]) == ("failed", "crash", 1), record
    assert f"SIGSYS): code of a job may not ask for {name} " in record["text"], record


def who_catches_the_signal_has_not_made_the_call(node):
    assert submit(node, "ask_caught", "kexec_load") == "SIGSYS in place of the call\n"


def programs_still_run(node):
    assert submit(node, "shell", "echo hello").split() == ["hello"]


def start(node, function, argument, *more):
    result = node.goctl("submit", f"{node.plugin('bounded')}:{function}", argument, *more)
    assert result.returncode == 0, result
    return result.stdout.strip()


def wait_for_output(node, job, text):
    while text not in node.goctl("logs", job).stdout:
        record = node.json("job", job)
        assert record["state"] in ("ready", "running"), record


def figures(node, job):
    return node.json("stats", "--job", job)


def a_host_that_takes_too_much_memory_is_ended(node):
    job = start(node, "grow", "300", "--retries", "1")
    assert node.goctl("wait", job).returncode == 9
    record = node.json("job", job)
    assert (record["state"], record["cause"], record["crashes"]) == ("failed", "crash", 1), record
    assert re.match(r"out of memory: the host had \d{9,} bytes, and memory_max is 200000000$", record["text"]), record
    assert node.json("stats")["hosts.out_of_memory"] == 1


def its_neighbours_lose_nothing(node):
    neighbour = start(node, "grow", "1")
    wait_for_output(node, neighbour, "grown")
    job = start(node, "grow", "300", "--retries", "1")
    assert node.goctl("wait", job).returncode == 9
    assert "out of memory" in node.json("job", job)["text"]
    record = node.json("job", neighbour)
    assert (record["failures"], record["crashes"]) == (0, 0) and record["state"] in ("ready", "running"), record
    assert node.goctl("cancel", neighbour).returncode == 0
    assert node.goctl("wait", neighbour).returncode == 6


def what_is_within_the_bound_is_shown(node):
    job = start(node, "grow", "20")
    wait_for_output(node, job, "grown")
    shown = figures(node, job)
    assert 20 << 20 < shown["host.resident"] < 200000000 == shown["host.memory_max"], shown
    assert node.goctl("cancel", job).returncode == 0
    assert node.goctl("wait", job).returncode == 6


def processors_are_shared_by_weight(build):
    own = os.getpriority(os.PRIO_PROCESS, 0)
    for weight, niceness in (("33", 5), ("100", 0), ("50", 3), ("1", 19)):
        with Node(build, f"--plugin=default.cpu_weight={weight}") as node:
            wanted = niceness if os.getuid() == 0 else max(niceness, own)
            assert submit(node, "niceness").split() == [str(wanted)], (weight, own)
            assert node.stop() == 0


def main():
    build = os.path.abspath(sys.argv[1])
    table = dict(ROW.findall(TABLE.read_text()))
    with Node(build) as node:
        nothing_is_taken_by_default(node)
        assert node.stop() == 0
    with Node(build, f"--plugin={build}/tests/e2e/bounded.so.seccomp=jobs", "--limit=host_restart_max_ms=1") as node:
        each_call_is_denied_as_the_table_says(node, table)
        who_catches_the_signal_has_not_made_the_call(node)
        programs_still_run(node)
        assert node.stop() == 0
    with Node(build, "--plugin=default.memory_max=200000000", "--limit=host_restart_max_ms=1") as node:
        a_host_that_takes_too_much_memory_is_ended(node)
        its_neighbours_lose_nothing(node)
        what_is_within_the_bound_is_shown(node)
        assert node.stop() == 0
    processors_are_shared_by_weight(build)


main()
