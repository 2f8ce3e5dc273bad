"""Whom the kill loops kill, beside clients: the daemon and its hosts; and processes that each kill replaces."""
import os, pathlib, random, signal
from ledger import PROGRESS_SECONDS, Ledger

POINTS = ["store-begin", "store-record", "store-before-commit", "store-commit", "store-after-commit"]


def is_host(pid):
    """Not the child that only tells what is in a plugin: whose end is told as the plugin's fault. Nor one that has ended."""
    try:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False
    return b"goroutined-host" in words and b"--describe" not in words


def hosts(node):
    """The children of the daemon that run jobs, whichever thread has started them."""
    found = []
    for children in pathlib.Path(f"/proc/{node.process.pid}/task").glob("*/children"):
        try:
            found += [int(pid) for pid in children.read_text().split()]
        except OSError:  # the thread has ended
            continue
    return [pid for pid in found if is_host(pid)]


def kill_host(node):
    """False: there is none, or it has just ended."""
    try:
        os.kill(random.choice(hosts(node)), 9)
    except (IndexError, ProcessLookupError):
        return False
    return True


def kill_daemon(node, check=lambda node: None, **environment):
    """`check` is called with what it leaves behind; `environment` is that of the next one."""
    node.kill()
    check(node)
    node.start(**environment)
    return True


def kill_in_commit(node, check=lambda node: None):
    """The daemon ends itself, as by kill -9, at a passing of some point of the store."""
    kill_daemon(node, check, GOROUTINED_FAULTS=f"{random.choice(POINTS)}={random.randrange(5, 40)}:kill")
    status = node.process.wait(PROGRESS_SECONDS)
    assert status == -signal.SIGKILL, status
    check(node)
    node.start()
    return True


class Party:
    """Clients of one kind in a process of their own."""

    def __init__(self, command, env):
        self.start = lambda: Ledger(command, env)
        self.living = self.start()

    def kill(self):
        self.living.end()
        self.living = self.start()
        return True
