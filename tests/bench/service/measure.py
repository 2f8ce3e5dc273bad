"""Measures the service beside its peers, in turns, and prints the median of each.

A line is one figure against one peer: `service NAME lane=L call=C ours=X peer=P:Y ratio=R want=W ok|short`; a ratio above 1
says that ours is better. Behind it stands the CPU time per value (or round) of every process, in nanoseconds, where known.
"""

import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections import namedtuple

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
    Figure("ping", "ping", "ping", "ping", ["auto", "zmq"], 0, {}),
    Figure("core", "core", "ours", "send+recv", ["none"], 64, {}),
]
CORE_WANT = 5_000_000  # operations per second
PACKAGES = {"nats": "nats-server", "redis": "redis-server", "gearman": "gearman-job-server"}
START_SECONDS = 20
RUN_SECONDS = 60  # at most, for one run

Server = namedtuple("Server", "where pid")


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run service", description=__doc__)
    parser.add_argument("--only", metavar="NAME[,NAME]", type=lambda s: s.split(","), help="these figures")
    parser.add_argument("--peers", metavar="NAME[,NAME]", type=lambda s: s.split(","), help="these peers")
    parser.add_argument("--runs", type=int, default=3, help="of each figure on each side (default 3)")
    parser.add_argument("--seconds", type=int, default=1, help="of each run (default 1)")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build-bench"),
                        help="build folder; made as a release build if absent (default build-bench)")
    args = parser.parse_args()
    unknown = set(args.only or []) - {row.name for row in FIGURES}
    if unknown:
        parser.error(f"no figure {', '.join(sorted(unknown))}; {', '.join(dict.fromkeys(row.name for row in FIGURES))}")
    return args


def build(folder):
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", folder, "--buildtype=release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, "tests/bench/service", "tests/bench/core_alone", "daemon/goroutined"], check=True,
                   stdout=subprocess.DEVNULL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def answers(where):
    """Whether somebody listens there."""
    local = where.startswith(("unix:", "ipc://"))
    with socket.socket(socket.AF_UNIX if local else socket.AF_INET) as probe:
        with contextlib.suppress(OSError):
            probe.connect(where.split(":", 1)[1].removeprefix("//") if local else ("127.0.0.1", int(where)))
            return True
    return False


class Servers:
    """The daemon and its peers, each started when it is first needed."""

    def __init__(self, build_folder, folder):
        self.build, self.folder, self.running, self.processes = build_folder.resolve(), folder, {}, []

    def command(self, name):
        """(where, command)"""
        if name == "ours":
            where = f"ipc://{self.folder}/socket"
            return where, [self.build / "daemon/goroutined", "--endpoint", where, "--ephemeral", "--lane", "auto"]
        if name == "raw":
            where = f"ipc://{self.folder}/raw"
            return where, [self.build / "tests/bench/service", "serve", "raw", where]
        if name == "redis":
            return f"unix:{self.folder}/redis", ["redis-server", "--port", "0", "--save", "", "--unixsocket",
                                                 f"{self.folder}/redis"]
        port = free_port()
        return port, {"nats": ["nats-server", "-a", "127.0.0.1", "-p", port],
                      "gearman": ["gearmand", "--listen=127.0.0.1", f"--port={port}", "--log-file=none"]}[name]

    def get(self, name):
        """Where it is, or None when it is not installed."""
        if name not in self.running:
            where, command = self.command(name)
            path = shutil.which(str(command[0]), path=os.environ["PATH"] + ":/usr/sbin:/sbin")
            if not path:
                print(f"service: the peer {name} is left out: Debian package {PACKAGES[name]} is not installed")
                self.running[name] = None
                return None
            process = subprocess.Popen([path, *command[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       cwd=self.folder)
            self.processes.append(process)
            self.running[name] = Server(where, process.pid)
            self.wait(process, name, where)
        return self.running[name]

    def wait(self, process, name, where):
        until = time.monotonic() + START_SECONDS
        while not answers(where):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"service: {name} does not start")
            time.sleep(0.01)

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()


def run(args, row, name, server, lane):
    """What one run of `service` said, as numbers."""
    programs = args.build.resolve() / "tests/bench"
    command = ([programs / "core_alone", str(args.seconds)] if row.kind == "core" else
               [programs / "service", row.kind, name, server.where, str(row.bytes), str(args.seconds), str(server.pid)])
    out = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "GOROUTINED_LANE": lane},
                         timeout=RUN_SECONDS)
    if out.returncode:
        raise SystemExit(f"service: {row.name} of {name}: {out.stderr}")
    return {key: float(value) for key, value in (pair.split("=") for pair in out.stdout.split())}


def contestants(args, row, servers):
    """[(label, name, server, lane)]: us on each lane, then the peers that are there."""
    if row.kind == "core":
        return [("none", row.ours, Server("-", 0), "auto")]
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
    return {label: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for label, runs in found.items()}


def costs(said):
    return " ".join(f"{key.removesuffix('_ns')}={value:.0f}" for key, value in said.items() if "cpu" in key)


def compare(row, lane, ours, peer, theirs):
    """Lines for one lane against one peer; the number of those that are short."""
    short = 0
    for key, unit, better in (("rate", "/s", 1), ("p50_ns", "ns", -1), ("p99_ns", "ns", -1)):
        if key not in ours:
            continue
        ratio = (ours[key] / theirs[key]) ** better
        want = row.want[peer]
        verdict = "reported" if want is None else f"want={want:g} {'ok' if ratio >= want else 'short'}"
        short += verdict.endswith("short")
        name = row.name + ("" if key == "rate" else "-" + key[:3])
        print(f"service {name} lane={lane} call={row.call} ours={ours[key]:.0f}{unit} peer={peer}:{theirs[key]:.0f}{unit} "
              f"ratio={ratio:.2f} {verdict} ours: {costs(ours)} peer: {costs(theirs)}", flush=True)
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
    build(args.build)
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(args.build, folder)
        try:
            short = sum(measure(args, row, servers) for row in FIGURES if not args.only or row.name in args.only)
        finally:
            servers.stop()
    print(f"{short} short" if short else "none short")


main()
