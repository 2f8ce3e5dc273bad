"""Measures the service beside its peers, in turns, and prints the median of each.

A line is one figure against one peer: `service NAME lane=L call=C ours=X peer=P:Y ratio=R want=W ok|short`; a ratio above 1
says that ours is better. Behind it stands the CPU time per value (or round) of every process, in nanoseconds, where known.
"""

import argparse
import pathlib
import sys
import tempfile
from collections import namedtuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import contest  # noqa: E402: it lies beside this folder

# kind: of `service`; ours: its name for us; want: peer -> at least this ratio (None: reported only).
Figure = namedtuple("Figure", "name kind ours call lanes bytes want")
FIGURES = [
    Figure("messages-64B", "stream", "ours", "send_many/recv_many", ["auto", "zmq"], 64,
           {"nats": 1.2, "redis": 4, "raw": 0.8}),
    Figure("messages-1KiB", "stream", "ours", "send_many/recv_many", ["auto", "zmq"], 1024,
           {"nats": 1.2, "redis": 4, "raw": 0.8}),
    Figure("messages-64B-single", "stream", "single", "send/recv", ["auto", "zmq"], 64, {"raw": None}),
    Figure("round-trip", "echo", "ours", "send+recv", ["auto"], 64, {"raw": 2.5, "nats": 2.5, "gearman": 3, "redis": 1.2}),
    Figure("round-trip", "echo", "ours", "send+recv", ["zmq"], 64, {"raw": 0.8}),
    Figure("round-trip-window", "echo", "windowed", "send+window", ["auto"], 64,
           {"raw": 2.5, "nats": 2.5, "gearman": 3, "redis": 1.2}),
    Figure("round-trip-window", "echo", "windowed", "send+window", ["zmq"], 64, {"raw": 0.8}),
    Figure("job", "echo", "job", "submit+wait", ["auto"], 64, {"gearman": 2}),
    Figure("select-8", "echo", "select", "select+send", ["auto", "zmq"], 64, {}),
    Figure("lock-8", "crowd", "lock", "lock+unlock", ["auto", "zmq"], 0, {}),
    Figure("ping", "ping", "ping", "ping", ["auto", "zmq"], 0, {}),
    Figure("ping-hogs", "hogs", "ping", "ping", ["auto", "zmq"], 0, {}),
    Figure("core", "core", "ours", "send+recv", ["none"], 64, {}),
]
CORE_WANT = 5_000_000  # operations per second
RUN_SECONDS = 60  # at most, for one run
PLUGIN = "tests/e2e/trial.so"  # its `echo` gives back its argument
KEYS = (("rate", "", "/s", 1), ("p50_ns", "-p50", "ns", -1), ("p99_ns", "-p99", "ns", -1))


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run service", description=__doc__)
    contest.options(parser, runs=3)
    return contest.parse(parser, [row.name for row in FIGURES])


def command(args, name, state):
    """(where, command)"""
    if name == "ours":
        where = f"ipc://{state}/socket"
        return where, [args.build / "daemon/goroutined", "--endpoint", where, "--ephemeral", "--lane", "auto"]
    if name == "raw":
        where = f"ipc://{state}/raw"
        return where, [args.build / "tests/bench/service", "serve", "raw", where]
    if name == "redis":
        return f"unix:{state}/redis", ["redis-server", "--port", "0", "--save", "", "--unixsocket", f"{state}/redis"]
    port = contest.free_port()
    return port, {"nats": ["nats-server", "-a", "127.0.0.1", "-p", port],
                  "gearman": ["gearmand", "--listen=127.0.0.1", f"--port={port}", "--log-file=none"]}[name]


def run(args, row, name, server, lane):
    """What one run of `service` said, as numbers."""
    programs = args.build / "tests/bench"
    seconds = str(max(1, round(args.seconds)))  # the programs count whole ones
    words = ([programs / "core_alone", seconds] if row.kind == "core" else
             [programs / "service", row.kind, name, server.where, str(row.bytes), seconds, str(server.pid)])
    return contest.said(words, RUN_SECONDS, {"GOROUTINED_LANE": lane, "BENCH_PLUGIN": str(args.build / PLUGIN)})


def contestants(args, row, servers):
    """[(label, name, server, lane)]: us on each lane, then the peers that are there."""
    if row.kind == "core":
        return [("none", row.ours, contest.Server("-", 0), "auto")]
    us = servers.get("ours")
    all_of_us = [(lane, row.ours, us, lane) for lane in row.lanes]
    peers = [peer for peer in row.want if not args.peers or peer in args.peers]
    return all_of_us + [(peer, peer, server, "auto") for peer in peers if (server := servers.get(peer))]


def medians(args, row, servers):
    """{label: {key: median}}, every contestant in each turn."""
    found = {}
    field = contestants(args, row, servers)
    for _ in range(args.runs):
        for label, name, server, lane in field:
            found.setdefault(label, []).append(run(args, row, name, server, lane))
    return {label: contest.medians(runs) for label, runs in found.items()}


def compare(row, lane, ours, peer, theirs):
    """Lines for one lane against one peer; the number of those that are short."""
    short = 0
    for key, suffix, unit, better in KEYS:
        if key not in ours:
            continue
        verdict, is_short = contest.judge((ours[key] / theirs[key]) ** better, row.want[peer])
        short += is_short
        print(f"service {row.name}{suffix} lane={lane} call={row.call} ours={ours[key]:.0f}{unit} "
              f"peer={peer}:{theirs[key]:.0f}{unit} {verdict} ours: {contest.costs(ours)} peer: {contest.costs(theirs)}",
              flush=True)
    return short


def report_alone(row, lane, said):
    if row.kind == "core":
        ok = said["rate"] >= CORE_WANT
        print(f"service core call={row.call} ours={said['rate']:.0f}/s want>={CORE_WANT}/s {'ok' if ok else 'short'}",
              flush=True)
        return not ok
    values = " ".join(f"{key}={value:.0f}" for key, value in said.items())
    print(f"service {row.name} lane={lane} call={row.call} {values}", flush=True)
    return 0


def measure(args, row, servers):
    found = medians(args, row, servers)
    lanes = [lane for lane in row.lanes if lane in found]
    peers = [peer for peer in row.want if peer in found]
    if not peers:
        return sum(report_alone(row, lane, found[lane]) for lane in lanes)
    return sum(compare(row, lane, found[lane], peer, found[peer]) for lane in lanes for peer in peers)


def main():
    args = arguments()
    args.build = args.build.resolve()
    contest.build(args.build, ["tests/bench/service", "tests/bench/core_alone", "daemon/goroutined",
                               "daemon/host/goroutined-host", PLUGIN])
    with tempfile.TemporaryDirectory() as folder:
        servers = contest.Servers("service", folder, lambda name, state: command(args, name, state))
        try:
            short = sum(measure(args, row, servers) for row in FIGURES if not args.only or row.name in args.only)
        finally:
            servers.stop_all()
    print(f"{short} short" if short else "none short")


main()
