#!/usr/bin/env python3
"""Row G117 of ROWS.md between processes: the plugin of all rows, in a host of the race build.

usage: race_in_host.py BUILD
"""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
from node import Node

SILENT_RUNS = 3
JOB_FAILED = 9
REPORT = ["WARNING: ThreadSanitizer: data race", "Write of size 4", "add_one", "not_handed_on"]


def run(node, function):
    """The exit status of whoever waits for the job, and the record of the job."""
    job = node.goctl("submit", f"{node.build}/tests/guide/guide_rows.so:{function}", "--retries", "1").stdout.strip()
    return node.goctl("wait", job, timeout=None).returncode, node.json("job", job)


# "a plain variable that is handed on by a channel, a close, a cond, a once, a cancel, a timer or a join is right every time,
# and the race build is silent"
def handed_on(node):
    for _ in range(SILENT_RUNS):
        status, record = run(node, "G117")
        assert status == 0, record
    assert "ThreadSanitizer" not in node.log(), "what is ordered was reported"


# "what two use without being ordered is reported, and the exit status is not 0": that of the host, which ends with its report,
# and of who waits for the job. The report is in the log of the daemon.
def not_handed_on(node):
    status, record = run(node, "G117.not_handed_on")
    assert status == JOB_FAILED and record["cause"] == "crash", record
    assert "the host exited with status" in record["text"], record
    missing = [words for words in REPORT if words not in node.log()]
    assert not missing, f"not in the report: {missing}"


def main():
    with Node(sys.argv[1]) as node:
        handed_on(node)
        not_handed_on(node)
        status, record = run(node, "G117")
        assert status == 0, f"the next host: {record}"
        assert node.stop() == 0, "the daemon itself had a race"


main()
