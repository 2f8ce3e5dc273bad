"""Runs the figures of the runtime beside the same work in Go, in turns, and prints the median of each."""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
from collections import namedtuple

HERE = pathlib.Path(__file__).resolve().parent
MEMORY_RUNS = 1  # pages do not vary

# n: how much work; pieces: by how many the result is divided; want: procs -> at least this ratio.
Figure = namedtuple("Figure", "name n pieces unit want")
FIGURES = [
    Figure("spawn-join", 2_000_000, 2_000_000, "ns", {1: 2.5, 2: 2.5}),
    Figure("ping-pong", 1_000_000, 1_000_000, "ns", {1: 2.5, 2: 2}),
    Figure("yield", 4_000_000, 4_000_000, "ns", {1: 2.5, 2: 2.5}),
    Figure("buffered-1x1", 4_000_000, 4_000_000, "ns", {1: 2, 2: 2}),
    Figure("unbuffered-1x1", 2_000_000, 2_000_000, "ns", {1: 2, 2: 2}),
    Figure("buffered-4x4", 4_000_000, 4_000_000, "ns", {1: 1.5, 2: 1.5}),
    Figure("ring-503", 2_000_000, 2_000_000, "ns", {1: 2, 2: 2}),
    Figure("skynet", 1_000_000, 1, "ms", {1: 4, 2: 4}),
    Figure("select-4", 1_000_000, 1_000_000, "ns", {1: 2, 2: 2}),
    Figure("sieve", 1_500, 1, "ms", {1: 2, 2: 2}),
    Figure("mutex-8", 4_000_000, 4_000_000, "ns", {1: 1, 2: 1}),
    Figure("rwmutex-8", 4_000_000, 4_000_000, "ns", {1: 1, 2: 1}),
    Figure("waitgroup-fan", 1_000_000, 1_000_000, "ns", {1: 1.5, 2: 1.5}),
    Figure("sleepers-cpu", 200_000, 1, "ms", {1: 2, 2: 2}),
    Figure("timer-churn", 1_000_000, 1_000_000, "ns", {1: 2, 2: 2}),
    Figure("echo-64", 64_000, 64_000, "us", {1: 1, 2: 1}),
]
# One processor, without a peer: at most `limit` of the unit.
Limit = namedtuple("Limit", "name n pieces unit limit")
LIMITS = [
    Limit("switch", 8_000_000, 8_000_000, "ns", 17),
    Limit("message", 2_000_000, 2_000_000, "ns", 36),
    Limit("spawn-exit", 2_000_000, 2_000_000, "ns", 68),
    Limit("parked-bytes", 1_000_000, 1_000_000, "KB", 4.5),
    Limit("queued-bytes", 1_000_000, 1_000_000, "B", 300),
]
SCALE = {"ns": 1, "us": 1e3, "ms": 1e6, "B": 1, "KB": 1024}


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run runtime", description=__doc__)
    parser.add_argument("--only", metavar="NAME[,NAME]", type=lambda s: s.split(","), help="these figures")
    parser.add_argument("--runs", type=int, default=5, help="of each figure on each side (default 5)")
    parser.add_argument("--cpu", action="store_true", help="compare CPU time, not time on the clock")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build-bench"),
                        help="build folder; made as a release build if absent (default build-bench)")
    args = parser.parse_args()
    unknown = set(args.only or []) - {row.name for row in FIGURES + LIMITS}
    if unknown:
        parser.error(f"no figure {', '.join(sorted(unknown))}; {', '.join(row.name for row in FIGURES + LIMITS)}")
    return args


def build(folder):
    """Our program, and the peer's path or None."""
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", folder, "--buildtype=release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, "tests/bench/runtime"], check=True, stdout=subprocess.DEVNULL)
    if not shutil.which("go"):
        print("the Go peer is left out: no go here (Debian package golang-go)")
        return folder / "tests/bench/runtime", None
    peer = folder / "tests/bench/runtime-peer"
    subprocess.run(["go", "build", "-o", peer, *sorted((HERE / "peer").glob("*.go"))], check=True,
                   env={**os.environ, "GO111MODULE": "off", "GOFLAGS": ""})
    return folder / "tests/bench/runtime", peer


def run(program, row, procs, cpu):
    """The result of the work, and what one piece of it took in the unit of the figure."""
    out = subprocess.run([program.resolve(), row.name, str(procs), str(row.n)], check=True, capture_output=True,
                         text=True, env={key: value for key, value in os.environ.items() if key != "GOMAXPROCS"})
    said = dict(pair.split("=") for pair in out.stdout.split()[1:])
    what = "bytes" if row.name.endswith("-bytes") else "cpu_ns" if cpu or row.name.endswith("-cpu") else "wall_ns"
    return said["result"], int(said[what]) / row.pieces / SCALE[row.unit]


def medians(programs, row, procs, args):
    """One per program, run in turns. Ends the script when they did not do the same work."""
    runs = MEMORY_RUNS if row.name.endswith("-bytes") else args.runs
    taken, results = [[] for _ in programs], set()
    for _ in range(runs):
        for program, times in zip(programs, taken):
            result, time = run(program, row, procs, args.cpu)
            results.add(result)
            times.append(time)
    if len(results) > 1:
        sys.exit(f"{row.name} procs={procs}: the results differ: {', '.join(sorted(results))}")
    return [statistics.median(times) for times in taken]


def compare(row, programs, args):
    short = 0
    for procs, want in row.want.items():
        ours, *peers = medians(programs, row, procs, args)
        line = f"runtime {row.name} procs={procs} ours={ours:.4g}{row.unit}"
        if peers:
            ok = peers[0] / ours >= want
            short += not ok
            line += (f" peer=go:{peers[0]:.4g}{row.unit} ratio={peers[0] / ours:.2f} want={want:g} "
                     f"{'ok' if ok else 'short'}")
        print(line, flush=True)
    return short


def limit(row, ours, args):
    [value] = medians([ours], row, 1, args)
    ok = value <= row.limit
    print(f"runtime {row.name} procs=1 ours={value:.4g}{row.unit} want<={row.limit:g}{row.unit} "
          f"{'ok' if ok else 'short'}", flush=True)
    return not ok


def main():
    args = arguments()
    ours, peer = build(args.build)
    wanted = lambda row: not args.only or row.name in args.only
    short = sum(compare(row, [ours, peer] if peer else [ours], args) for row in FIGURES if wanted(row))
    short += sum(limit(row, ours, args) for row in LIMITS if wanted(row))
    print(f"{short} short" if short else "none short")


main()
