#!/usr/bin/env python3
"""G174 What each tip gains: the example that follows it prints a counter, and here the counter is read.

usage: tips.py PROGRAMS [--sanitized]      (the folder where the examples were built)

"every named example prints the counter that shows its gain", with 1, 2 and 4 processors. The clauses of the row are beside
the tips below. Where a sanitizer makes everything larger and slower, those that count bytes and samples are left out.
"""

import re
import subprocess
import sys

# The example, the line that it prints, and what must be true of the numbers in it.
TIPS = (
    # "buffered channels: of 50 sends at most 50 wait, with 50 places none"
    ("g171_buffer_sizes", r"sends that had to wait: (\d+), (\d+), (\d+)", lambda none, some, all: none > some > all == 0),
    # "worker pools: 9 jobs, and at most 3 at work"
    ("g069_worker_pool", r"(\d+) jobs, at most (\d+) at work", lambda jobs, most: (jobs, most) == (9, 3)),
    # "timeouts: 2 waits of 3 s are cut short at 2 s"
    ("g061_timeout", r"(\d+) waits of (\d+) ms cut short at (\d+) ms", lambda *is_: is_ == (2, 3000, 2000)),
    # "reader-writer locks: 5 readers at once"
    ("g043_rwmutex", r"(\d+) readers at once", lambda readers: readers == 5),
    # "trying without waiting: 3 tries are refused at once"
    ("g036_non_blocking", r"(\d+) tries refused at once", lambda refused: refused == 3),
    # "pipelines: 3 stages have work at the same time"
    ("g081_pipeline", r"(\d+) stages have work at the same time", lambda stages: stages == 3),
    # "few workers first: 1, then 4, then 2 are at work"
    ("g076_resize", r"1 workers: (\d+) at work\n4 workers: (\d+) at work\n.*\n2 workers: (\d+) at work",
     lambda one, four, two: one == 1 and four == 4 and two <= 2),
    # "back-pressure: of 1000 items 3 wait, in less than 10 KiB"
    ("g033_back_pressure", r"(\d+) of (\d+) items wait, in (\d+) bytes", lambda n, of, bytes_: (n, of) == (3, 1000) and bytes_ < 10240),
    # "profiles: most samples are in the hot function"
    ("g150_profiles", r"(\d+) samples, (\d+) in hot, (\d+) in cold", lambda all, hot, cold: hot > all / 2 > cold),
    # "monitoring: 1, 1001 and 1 goroutines, and the bytes they use"
    ("g145_statistics", r"1 goroutines, (\d+) bytes in use .*\n1001 goroutines, (\d+) bytes in use .*\n1 goroutines, ",
     lambda before, during: 0 < before < during),
    # "connection pools: 10 users, and 5 connections made"
    ("g124_connection_pool", r"(\d+) users, (\d+) connections made", lambda *are: are == (10, 5)),
    # "rate limits: of 10 requests 7 start in the first second, a burst of 4 and 3 more, and 3 in the second"
    ("g121_rate_limiter", r"requests started in the first second: (\d+), in the second: (\d+)", lambda *are: are == (7, 3)),
)
COUNTS_MEMORY_OR_TIME = {"g033_back_pressure", "g150_profiles"}


def output(program, procs):
    done = subprocess.run([program, "--procs", str(procs)], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else f"status {done.returncode}: {done.stderr}"


def gains(folder, example, line, holds, procs):
    text = output(f"{folder}/guide_{example}", procs)
    found = re.search(f"^{line}", text, re.M)
    good = bool(found) and holds(*map(int, found.groups()))
    print(f"{example} with {procs} processors: {found[0] if good else 'not shown: ' + text}".replace("\n", "; "))
    return good


def main():
    folder, sanitized = sys.argv[1], "--sanitized" in sys.argv
    chosen = [tip for tip in TIPS if not (sanitized and tip[0] in COUNTS_MEMORY_OR_TIME)]
    good = [gains(folder, *tip, procs) for tip in chosen for procs in (1, 2, 4)]
    sys.exit(0 if all(good) else 1)


main()
