#!/usr/bin/env python3
"""Every row as a job: done, or failed as the row says, with the words that it asks for.

usage: jobs.py BUILD [--no-crashes]      (a sanitizer would take a crash for its own)
"""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
from node import Node

# A row that hangs fails by this instead, with its stacks.
LIMIT = "200s"


def rows(node, plugin):
    """(function, end, [(kind, word)]) of each."""
    listed = node.goctl("submit", f"{plugin}:rows", "--wait")
    assert listed.returncode == 0, listed
    for line in node.goctl("logs", last_id(node)).stdout.splitlines():
        function, end, *words = line.split("\t")
        yield function, end, [word.split("=", 1) for word in words]


def last_id(node):
    return str(max(job["job"] for job in node.json_lines("jobs")))


def findings(record, output, end, words):
    """What is not as the row says."""
    expected = ("done", None) if end == "well" else ("failed", end)
    found = (record["state"], record.get("cause") if end != "well" else None)
    if found != expected:
        yield f"{found}, not {expected}"
    report = record.get("text") or ""
    for kind, word in words:
        if kind == "says" and word not in report:
            yield f"not in its report: {word}"
        if kind == "prints" and word not in output:
            yield f"not in its output: {word}"
        if kind == "never" and word in report + output:
            yield f"must not be said: {word}"


def whole_lines(output):
    """G14, as judge_output in its program says of standard output."""
    lines, expected = output.splitlines(), [f"{me:02} {line:03} " for me in range(50) for line in range(100)]
    if any(len(line) != 200 or set(line[7:]) != {"x"} for line in lines):
        yield "a line is torn"
    if sorted(lines, key=lambda line: line[:2]) != [f"{start:x<200}" for start in expected]:
        yield "not each printer's 100 lines in order"


# What a row's `judge` asks, where it is more than words.
JUDGES = {"G14.print_from_many": whole_lines}


def run(node, plugin, function, end, words):
    submitted = node.goctl("submit", f"{plugin}:{function}", "--retries", "1", "--limit", LIMIT)
    assert submitted.returncode == 0, submitted
    job = submitted.stdout.strip()
    node.goctl("wait", job, timeout=None)
    record, output = node.json("job", job), node.goctl("logs", job).stdout
    wrong = [*findings(record, output, end, words), *JUDGES.get(function, lambda _: [])(output)]
    for finding in wrong:
        print(f"{function}: {finding}")
    if wrong:
        print(f"---- its record\n{record}\n---- its output\n{output[-4000:]}")
    return not wrong


def main():
    build, crashes = sys.argv[1], "--no-crashes" not in sys.argv
    plugin = f"{build}/tests/guide/guide_rows.so"
    good = bad = 0
    with Node(build) as node:
        for function, end, words in list(rows(node, plugin)):
            if end == "race" or (end == "crash" and not crashes) or any(kind == "skip" for kind, _ in words):
                continue
            passed = run(node, plugin, function, end, words)
            good, bad = good + passed, bad + (not passed)
        assert bad == 0, f"{bad} of {good + bad} rows did not end as they must"
    print(f"{good} jobs ended as they must")


main()
