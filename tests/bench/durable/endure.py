"""Puts jobs through one daemon, each submitted, run and ended, and looks whether what it takes of the machine stays bounded.

`goctl stats` is asked all the while for the memory of the daemon and for the bytes of its database and of the log before that.
They may grow until as many ended jobs are kept as the daemon keeps; from then on the most of the last half may be no more than
that of the first and a little. Ends with as many jobs as were asked for, or when the time is over, and says how many it were.
Exit status 1: something grows, or there were too few looks to say so; a brief run is judged by whether it comes to its end."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

JOBS, SECONDS = 10_000_000, 600
FIGURES = ("memory.resident", "store.file", "store.log")
MORE, MORE_BYTES = 1.1, 4 << 20  # the last half may take so much of the first, and these
EVERY_SECONDS = 1
LOOKS = 20  # fewer, with everything full, tell where memory goes at the start, not where it stays
SAID_EVERY = 1_000_000  # jobs
NO_DAEMON = 7  # exit status of goctl: also when a busy machine let it wait for too long

Sample = namedtuple("Sample", "seconds done retained figures")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build-bench"), help="a built tree")
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="at most")
    parser.add_argument("--retained", type=int, default=100_000, help="ended jobs that the daemon keeps")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/var/tmp"), help="on the disk that is used")
    parser.add_argument("--brief", action="store_true", help="too few looks to judge by are no failure")
    args = parser.parse_args()
    args.build = args.build.resolve()
    return args


def stats(args, where, daemon):
    while True:
        asked = subprocess.run([args.build / "client/goctl/goctl", "stats", "--json", "--endpoint", where], check=False,
                               capture_output=True, text=True)
        if asked.returncode == 0:
            return json.loads(asked.stdout)
        if asked.returncode != NO_DAEMON or daemon.poll() is not None:
            raise SystemExit(f"endure: {asked.stderr.strip()} (the daemon: {daemon.poll()})")


def sample(args, where, daemon, begun):
    seen = stats(args, where, daemon)
    return Sample(time.monotonic() - begun, seen["jobs.done"], seen["jobs.retained"], [seen[name] for name in FIGURES])


def say(samples):
    """A line for each so many jobs."""
    last, before = samples[-1], samples[-2].done if len(samples) > 1 else 0
    if last.done // SAID_EVERY > before // SAID_EVERY:
        print(f"durable endure-at jobs={last.done} seconds={last.seconds:.0f} " +
              " ".join(f"{name}={figure}B" for name, figure in zip(FIGURES, last.figures)), flush=True)


def ends_soon(process):
    try:
        process.wait(EVERY_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def work(args, where, daemon):
    """Samples while one process puts jobs and the daemon has them run."""
    words = [args.build / "tests/bench/durable", "life", "ours", where, str(round(args.seconds * 1000)), "0", str(daemon.pid)]
    producer = subprocess.Popen(words, env={"BENCH_PLUGIN": str(args.build / "tests/bench/bench.so")}, stdout=subprocess.DEVNULL)
    begun, samples = time.monotonic(), []
    try:
        while not ends_soon(producer) and (not samples or samples[-1].done < args.jobs):
            samples.append(sample(args, where, daemon, begun))
            say(samples)
        if producer.returncode:
            raise SystemExit(f"endure: the producer ended with {producer.returncode}")
    finally:
        producer.terminate()
        producer.wait()
    return samples


def run(args, state):
    where = f"ipc://{state}/socket"
    with open(state / "log", "w", encoding="utf-8") as log:
        daemon = subprocess.Popen([args.build / "daemon/goroutined", "--endpoint", where, "--state", state / "state", "--lane",
                                   "auto", "--limit", f"retained_jobs_max={args.retained}"], stderr=log)
    try:
        subprocess.run([args.build / "tests/bench/durable", "await", "ours", where, "0", "0"], check=True,
                       stdout=subprocess.DEVNULL)
        return work(args, where, daemon)
    finally:
        daemon.terminate()
        daemon.wait()


def most(samples, at):
    return max(one.figures[at] for one in samples)


def judge(name, samples, at, full):
    """Prints one figure. "grows", "bounded", or "not judged" where there were too few looks."""
    half = len(full) // 2
    enough = len(full) >= LOOKS
    first, last = (most(full[:half], at), most(full[half:], at)) if enough else (0, 0)
    verdict = "not judged" if not enough else "grows" if last > first * MORE + MORE_BYTES else "bounded"
    print(f"durable endure-{name} most={most(samples, at)}B first_half={first} last_half={last} {verdict}", flush=True)
    return verdict


def main():
    args = arguments()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        samples = run(args, pathlib.Path(folder))
    last = samples[-1]
    full = [one for one in samples if one.retained >= args.retained]
    why = "all" if last.done >= args.jobs else "as many as the time allowed"
    print(f"durable endure jobs={last.done} ({why}, of {args.jobs}) in {last.seconds:.0f}s rate={last.done / last.seconds:.0f}/s "
          f"kept={last.retained} samples={len(full)}")
    verdicts = {judge(name, samples, at, full) for at, name in enumerate(FIGURES)}
    return "grows" in verdicts or ("not judged" in verdicts and not args.brief)


sys.exit(main())
