#!/usr/bin/env python3
"""A daemon starts on what one of the schema before has left: everything is there, goes on, and is sound.

usage: upgrade.py BUILD FILE

FILE is the database of then, as SQL (tests/store/former). The first start is killed between two steps of the upgrade, or in
the middle of one; the next one goes on from there.
"""
import os, re, signal, sqlite3, subprocess, sys

sys.path.insert(0, os.path.dirname(__file__))
from node import Node

PLUGIN_OF_THEN = "/plugin-of-then/trial.so"
FOREVER = str(100 * 365 * 86400)


def restored(file, state, plugin):
    """Makes the state directory; the plugin lies elsewhere now."""
    with open(file, encoding="utf-8") as sql:
        text = sql.read().replace(PLUGIN_OF_THEN.encode().hex(), plugin.encode().hex())
    os.mkdir(state, 0o700)
    database = sqlite3.connect(f"{state}/state.db")
    database.executescript(text)
    version = database.execute("PRAGMA user_version").fetchone()[0]
    database.close()
    return version


def killed_at(node, point):
    """A daemon that has this fault planted does not get past it. Gives its log."""
    daemon = subprocess.run([f"{node.build}/daemon/goroutined", "--endpoint", node.endpoint, "--state", f"{node.folder}/state"],
                            env=dict(node.env, GOROUTINED_FAULTS=f"{point}:kill"), stderr=subprocess.PIPE, text=True)
    assert daemon.returncode == -signal.SIGKILL, daemon
    return daemon.stderr


def one(rows, **members):
    found = [row for row in rows if members.items() <= row.items()]
    assert len(found) == 1, (members, rows)
    return found[0]


def must(result):
    assert result.returncode == 0, result
    return result.stdout.removesuffix("\n")


def check_jobs(node, version):
    jobs = node.json_lines("jobs")
    assert len(jobs) == (10 if version < 5 else 11), jobs
    assert must(node.goctl("wait", str(one(jobs, queue="mail", state="done")["job"]))) == "a result"
    hello = one(jobs, function="hello", state="done")
    assert must(node.goctl("logs", str(hello["job"]))) == "Hello, World!"
    failed = one(jobs, function="give_up", state="failed", queue="mail")
    assert failed["text"].startswith("an argument without sense"), failed
    dead = one(jobs, function="crash", state="dead", crashes=3)
    assert "signal 11 (SIGSEGV)" in dead["text"], dead
    one(jobs, function="fail", state="scheduled", failures=1, attempts_max=3)
    one(jobs, function="echo", state="scheduled")
    one(jobs, function="echo", state="cancelled")
    # It ran when the daemon of then was killed, and runs again.
    runs = one(jobs, function="wait")
    assert runs["state"] in ("ready", "running"), runs
    must(node.goctl("cancel", str(runs["job"])))


def check_waiting_jobs_go_on(node, version):
    waiting = [str(job["job"]) for job in node.json_lines("jobs") if job["queue"] == "held"]
    assert len(waiting) == 2, waiting
    again = node.goctl("submit", f"{node.plugin('trial')}:echo", "--queue", "held", "--once-key", "only", "--once-scope", "queue")
    assert again.returncode != 0, again # somebody has that key
    must(node.goctl("queue", "resume", "held"))
    assert sorted(must(node.goctl("wait", job)) for job in waiting) == ["waited", "x" * 70000]
    if version >= 5: # it has waited for one of them
        blocked = [job for job in node.json_lines("jobs") if job["function"] == "echo" and job["queue"] == "default"
                   and job["state"] not in ("scheduled", "cancelled")]
        assert must(node.goctl("wait", str(blocked[0]["job"]))) == "behind"


def check_queues(node):
    mail = node.json("queue", "info", "mail")
    assert "concurrency" in str(mail), mail
    text = must(node.goctl("queue", "info", "mail"))
    rows = [line.split() for line in text.splitlines()]
    assert ["concurrency", "3", "set"] in [row[:3] for row in rows], text
    assert ["weight", "4", "set"] in [row[:3] for row in rows], text


def check_channels(node):
    kept = node.json("info", "kept")
    assert kept["length"] == 2 and kept["capacity"] == 8, kept
    assert must(node.goctl("recv", "kept", "-n", "2")) == "two\nthree"
    assert must(node.goctl("range", "shut")) == "last"


def check_schedules(node):
    rows = node.json_lines("cron", "ls")
    assert len(rows) == 2, rows
    one(rows, name="beat", state="paused", spec="@every 1h", zone="Europe/Berlin", missed="skip", skipped=2)
    one(rows, name="yearly", state="set", spec="0 7 1 1 *", queue="mail", overlap="skip")


def check_topics(node):
    rows = node.json_lines("topic", "ls")
    assert len(rows) == 2, rows
    one(rows, name="orders.paid", messages=4, first_sequence=5, last_sequence=11)
    one(rows, name="orders.sent", messages=3, first_sequence=6, last_sequence=10)
    assert must(node.goctl("sub", "orders.sent", "--from", "start", "-n", "3")) == "message 6\nmessage 8\nmessage 10"


def check_sound(node):
    result = subprocess.run([f"{node.build}/daemon/goroutined", "--fsck", f"{node.folder}/state"], capture_output=True, text=True)
    assert result.returncode == 0 and "0 faults" in result.stdout, result


def main():
    build, file = map(os.path.abspath, sys.argv[1:])
    node = Node(build, "--queue", "mail.concurrency=8", "--queue", "held.concurrency=8", "--limit", f"retained_s={FOREVER}",
                "--limit", f"dead_s={FOREVER}")
    version = restored(file, f"{node.folder}/state", node.plugin("trial"))
    # All steps that lie ahead are told before the first one.
    steps = len(re.findall(r"^.*event=upgrading .*$", killed_at(node, "store-upgrade-commit=1"), re.M))
    if steps > 1:
        killed_at(node, f"store-upgrade={steps}")
    with node:
        assert f"schema={version + steps}" in node.log(), node.log()
        check_jobs(node, version)
        check_queues(node)
        check_waiting_jobs_go_on(node, version)
        if version >= 6:
            check_channels(node)
        if version >= 7:
            check_schedules(node)
        if version >= 11:
            check_topics(node)
        assert node.stop() == 0
        check_sound(node)
    print(f"{os.path.basename(file)}: everything is there")


main()
