"""Measures durable work of the service beside its peers, in turns, and prints the median of each.

A line is one figure against one peer: `durable NAME ours=X peer=P:Y ratio=R want=W ok|short`; a ratio above 1 says that ours
is better. Behind it stands how durable the peer was, and the CPU time for each job, in nanoseconds, of the clients and of the
server with its children: that of the daemon is with that of the host that runs the jobs. Lines of `disk` say how often the same
disk can fdatasync 4 KiB in the same run: nobody who syncs before each answer to a single client is faster.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import contest  # noqa: E402: it lies beside this folder

# figure: of `durable`; number: its argument; want: server -> at least this ratio (None: reported only).
Figure = namedtuple("Figure", "name figure number want")
FIGURES = [
    Figure("submit-1", "submit", 1, {"redis": 0.8, "beanstalk": 0.8, "disk": None}),
    Figure("submit-32", "submit", 32, {"redis": 1.2, "beanstalk": 6, "postgres": 2.5}),
    Figure("submit-64", "submit", 64, {"redis": 1.2}),
    Figure("bulk", "bulk", 0, {"sqlite": 0.3}),
    Figure("life", "life", 0, {"gearman-kept": 4, "gearman": 4, "beanstalk-memory": 1.3, "postgres": 6}),
    Figure("channel-1", "channel", 1, {"redis": None}),
    Figure("channel-100", "channel", 100, {"redis": None}),
    Figure("start", "start", 0, {"gearman-kept": 2, "gearman": 2}),
]
WAITING = "waiting"
START_WANT_S, BYTES_WANT = 5, 250  # with JOBS waiting
JOBS = 1_000_000
RUN_SECONDS = 120  # at most, for one run
# Server -> how safe a job is when it is acknowledged.
KEPT = {"redis": "appendfsync-always", "beanstalk": "fsync-each", "beanstalk-memory": "memory", "gearman": "memory",
        "gearman-kept": "sqlite,commit-each", "postgres": "synchronous-commit", "sqlite": "wal-full,batch-1000",
        "disk": "fdatasync"}
KEYS = (("rate", "", "/s", 1), ("p50_ns", "-p50", "ns", -1), ("p99_ns", "-p99", "ns", -1))


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run durable", description=__doc__)
    contest.options(parser, runs=5)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/var/tmp"),
                        help="on the disk that is measured (default /var/tmp)")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"that wait, for the figures of many (default {JOBS})")
    parser.add_argument("--prebuilt", action="store_true", help="the build folder has everything")
    return contest.parse(parser, [row.name for row in FIGURES] + [WAITING])


def command(args, name, state):
    """(where, command)"""
    if name == "ours":
        where = f"ipc://{state}/socket"
        # A fast disk takes more jobs in the runs of `bulk` than one user may have waiting.
        return where, [args.build / "daemon/goroutined", "--endpoint", where, "--state", state / "state", "--lane", "auto",
                       "--limit", "jobs_waiting_max=100000000"]
    if name == "redis":
        return f"unix:{state}/redis", ["redis-server", "--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync",
                                       "always", "--dir", state, "--unixsocket", f"{state}/redis"]
    if name == "postgres":
        return f"host={state} user=bench dbname=postgres", ["postgres", "-D", state / "data", "-k", state, "-h", ""]
    port = contest.free_port()
    gearmand = ["gearmand", "--listen=127.0.0.1", f"--port={port}", "--log-file=none"]
    return port, {"beanstalk": ["beanstalkd", "-l", "127.0.0.1", "-p", port, "-b", state, "-f0"],
                  "beanstalk-memory": ["beanstalkd", "-l", "127.0.0.1", "-p", port],
                  "gearman": gearmand,
                  "gearman-kept": [*gearmand, "--queue-type=libsqlite3", f"--libsqlite3-db={state}/jobs"]}[name]


def program(args, figure, peer, where, milliseconds, number, pid=0):
    """What one run of `durable` said, as numbers."""
    words = [args.build / "tests/bench/durable", figure, peer, where, str(milliseconds), str(number), str(pid)]
    return contest.said(words, RUN_SECONDS, {"BENCH_PLUGIN": str(args.build / "tests/bench/bench.so")})


def run(args, row, name, server):
    return program(args, row.figure, name.removesuffix("-memory"), server.where, round(args.seconds * 1000), row.number,
                   server.pid)


def contestants(args, row, servers, built):
    """[(name, server)]: us, then the peers that are there."""
    field = [("ours", servers.get("ours"))]
    for name in row.want:
        if args.peers and name not in args.peers:
            continue
        if name.removesuffix("-memory") not in built:
            print(f"durable: the peer {name} is left out: this build was made without its library")
            continue
        inside = name in ("sqlite", "disk")  # no server: it works in the process that asks
        server = contest.Server(str(servers.folder), 0) if inside else servers.get(name)
        if server:
            field.append((name, server))
    return field


def compare(row, ours, name, theirs):
    """Lines against one peer; the number of those that are short."""
    short = 0
    for key, suffix, unit, better in KEYS:
        if key not in ours or (row.figure == "submit" and key != "rate"):
            continue
        verdict, is_short = contest.judge((ours[key] / theirs[key]) ** better, row.want[name])
        short += is_short
        print(f"durable {row.name}{suffix} ours={ours[key]:.0f}{unit} peer={name}:{theirs[key]:.0f}{unit} {verdict} "
              f"kept={KEPT[name]} ours: {contest.costs(ours)} peer: {contest.costs(theirs)}", flush=True)
    return short


def measure(args, row, servers, built):
    """Every contestant in each turn, on servers that are new for the figure."""
    found = {}
    field = contestants(args, row, servers, built)
    for _ in range(args.runs):
        for name, server in field:
            found.setdefault(name, []).append(run(args, row, name, server))
    servers.stop_all()
    found = {name: contest.medians(runs) for name, runs in found.items()}
    if len(found) == 1:
        values = " ".join(f"{key}={value:.0f}" for key, value in found["ours"].items())
        print(f"durable {row.name} {values}", flush=True)
    return sum(compare(row, found["ours"], name, theirs) for name, theirs in found.items() if name != "ours")


# ---- a million jobs that wait ----

def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def processor_seconds(pid):
    """That all threads of a process have used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(name, value, unit, want):
    ok = value <= want
    print(f"durable {name} ours={value:.2f}{unit} want<={want}{unit} {'ok' if ok else 'short'}", flush=True)
    return not ok


def start_again(args, servers, state):
    """Seconds until the daemon answers, with what it has stored."""
    servers.stop("ours", signal.SIGTERM)
    begun = time.monotonic()
    servers.start("ours", state)
    program(args, "await", "ours", servers.running["ours"].where, 0, 0)
    return time.monotonic() - begun


def measure_waiting(args, servers):
    server = servers.get("ours")
    program(args, "await", "ours", server.where, 0, 0)
    empty = resident_bytes(server.pid)
    filled = program(args, "fill", "ours", server.where, 0, args.jobs)
    print(f"durable waiting-fill jobs={args.jobs} rate={filled['rate']:.0f}/s", flush=True)
    each = (resident_bytes(server.pid) - empty) / args.jobs
    seconds = start_again(args, servers, pathlib.Path(server.where.removeprefix("ipc://")).parent)
    busy = processor_seconds(servers.running["ours"].pid)
    after = (resident_bytes(servers.running["ours"].pid) - empty) / args.jobs
    servers.stop_all()
    return (report("waiting-start", seconds, "s", START_WANT_S) + report("waiting-start-processor", busy, "s", START_WANT_S) +
            report("waiting-memory", each, "B", BYTES_WANT) +
            report("waiting-memory-after-start", after, "B", BYTES_WANT))


def measure_all(args, servers):
    listed = subprocess.run([args.build / "tests/bench/durable", "peers"], check=True, capture_output=True, text=True)
    short = sum(measure(args, row, servers, set(listed.stdout.split())) for row in FIGURES
                if not args.only or row.name in args.only)
    if not args.only or WAITING in args.only:
        short += measure_waiting(args, servers)
    return short


def main():
    args = arguments()
    args.build = args.build.resolve()
    if not args.prebuilt:
        contest.build(args.build, ["tests/bench/durable", "tests/bench/bench.so", "daemon/goroutined",
                                   "daemon/host/goroutined-host"])
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        servers = contest.Servers("durable", folder, lambda name, state: command(args, name, state))
        try:
            short = measure_all(args, servers)
        finally:
            servers.stop_all()
    print(f"{short} short" if short else "none short")


main()
