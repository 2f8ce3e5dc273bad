"""What the measurements that go on for long have in common: one daemon, a process that gives it work, looks at the daemon all the
while, and whether what it takes of the machine stays bounded.

`goctl stats` tells the memory of the daemon, and the bytes of its database and of the log before that. They may grow until the
daemon keeps as much as it may; from then on the most of the last half may be no more than that of the first and a little.
Exit status 1: something grows, or there were too few looks to say so; a brief run is judged by whether it comes to its end."""

import json
import pathlib
import subprocess
import tempfile
import time
from collections import namedtuple

SECONDS = 600
FIGURES = ("memory.resident", "store.file", "store.log")
MORE, MORE_BYTES = 1.1, 4 << 20  # the last half may take so much of the first, and these
EVERY_SECONDS = 1
LOOKS = 20  # fewer, with everything full, tell where memory goes at the start, not where it stays
SAID_EVERY = 1_000_000
NO_DAEMON = 7  # exit status of goctl: also when a busy machine let it wait for too long

# done: how much work so far; kept: how much of it the daemon keeps
Sample = namedtuple("Sample", "seconds done kept figures")
# What is measured: its first word in each line, and of what there is so much
Work = namedtuple("Work", "title what")


def options(parser):
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build-bench"), help="a built tree")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="at most")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/var/tmp"), help="on the disk that is used")
    parser.add_argument("--brief", action="store_true", help="too few looks to judge by are no failure")


class Daemon:
    """A daemon of its own, that is there within `with`."""

    def __init__(self, args, flags=()):
        self.args, self.flags = args, flags
        self.build = args.build.resolve()

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(dir=self.args.folder)
        state = pathlib.Path(self.folder.name)
        self.where = f"ipc://{state}/socket"
        with open(state / "log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([self.build / "daemon/goroutined", "--endpoint", self.where, "--state",
                                             state / "state", "--lane", "auto", *self.flags], stderr=log)
        self.pid = self.process.pid
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def goctl(self, *words):
        """What it says."""
        command = [self.build / "client/goctl/goctl", *words, "--endpoint", self.where]
        while True:
            asked = subprocess.run(command, check=False, capture_output=True, text=True)
            if asked.returncode == 0:
                return asked.stdout
            if asked.returncode != NO_DAEMON or self.process.poll() is not None:
                raise SystemExit(f"endure: {asked.stderr.strip()} (the daemon: {self.process.poll()})")

    def rows(self, *words):
        """What it says with --json: an object a line."""
        return [json.loads(line) for line in self.goctl(*words, "--json").splitlines()]

    def stats(self):
        return self.rows("stats")[0]


def figures(stats):
    return [stats[name] for name in FIGURES]


def say(work, samples):
    """A line for each so much of it."""
    last, before = samples[-1], samples[-2].done if len(samples) > 1 else 0
    if last.done // SAID_EVERY > before // SAID_EVERY:
        print(f"{work.title} endure-at {work.what}={last.done} seconds={last.seconds:.0f} " +
              " ".join(f"{name}={figure}B" for name, figure in zip(FIGURES, last.figures)), flush=True)


def ends_soon(process):
    try:
        process.wait(EVERY_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def watch(work, most, producer, look):
    """Samples, each what look(seconds) gives, until the producer has ended or so much is done."""
    begun, samples = time.monotonic(), []
    try:
        while not ends_soon(producer) and (not samples or samples[-1].done < most):
            samples.append(look(time.monotonic() - begun))
            say(work, samples)
        if producer.returncode:
            raise SystemExit(f"endure: the producer ended with {producer.returncode}")
    finally:
        producer.terminate()
        producer.wait()
    return samples


def top(samples, at):
    return max(one.figures[at] for one in samples)


def judge(work, name, samples, at, full):
    """Prints one figure. "grows", "bounded", or "not judged" where there were too few looks."""
    half = len(full) // 2
    enough = len(full) >= LOOKS
    first, last = (top(full[:half], at), top(full[half:], at)) if enough else (0, 0)
    verdict = "not judged" if not enough else "grows" if last > first * MORE + MORE_BYTES else "bounded"
    print(f"{work.title} endure-{name} most={top(samples, at)}B first_half={first} last_half={last} {verdict}", flush=True)
    return verdict


def report(work, args, most, samples, full):
    """Says what was done, and judges the samples from when all was kept that may be. The exit status."""
    last = samples[-1]
    why = "all" if last.done >= most else "as many as the time allowed"
    print(f"{work.title} endure {work.what}={last.done} ({why}, of {most}) in {last.seconds:.0f}s "
          f"rate={last.done / last.seconds:.0f}/s kept={last.kept} samples={len(full)}")
    verdicts = {judge(work, name, samples, at, full) for at, name in enumerate(FIGURES)}
    return "grows" in verdicts or ("not judged" in verdicts and not args.brief)
