"""Measures topics of the service beside its peers, in turns, and prints the median of each.

A line is one figure against one peer: `topics NAME ours=X peer=P:Y ratio=R want=W ok|short`; a ratio above 1 says that ours is
better. Behind it stand our lane, how safe a message of a log is where the peer has confirmed it, and the CPU time of every
process for each message, in nanoseconds. Ours is always stored before it is confirmed. What JetStream is told to sync are
messages; acknowledgements it writes later all the same, so that a log which is there is consumed no slower: that is only
reported, and `through`, messages published and meanwhile consumed, is what is compared.
"""

import argparse
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import namedtuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import contest  # noqa: E402: it lies beside this folder

# figure: of `topics`; number: its argument; logged: whether it needs a log of --messages, that makes it the number;
# want: peer -> at least this ratio (None: reported only).
Figure = namedtuple("Figure", "name figure lane number logged want")
LIVE = {"nats": 1, "redis": 2}
LOG = {"jetstream": 0.6, "jetstream-always": 3}
FIGURES = [
    Figure("live-1", "live", "auto", 1, False, LIVE),
    Figure("live-16", "live", "auto", 16, False, LIVE),
    Figure("live-1", "live", "zmq", 1, False, dict.fromkeys(LIVE)),
    Figure("live-16", "live", "zmq", 16, False, dict.fromkeys(LIVE)),
    Figure("latency", "latency", "auto", 1, False, {"nats": 2, "redis": None}),
    Figure("publish", "publish", "auto", 1, False, LOG),
    Figure("through", "through", "auto", 1, False, LOG),
    Figure("consume", "consume", "auto", 0, True, {"jetstream": 0.6, "jetstream-always": None}),
    Figure("replay", "replay", "auto", 0, True, {"jetstream": None}),
    Figure("idle", "idle", "auto", None, False, dict.fromkeys(LIVE)),
]
MESSAGES, IDLE = 1_000_000, 10_000
RUN_SECONDS = 120  # at most, for one run
KEYS = (("rate", "", "/s", 1), ("p50_ns", "-p50", "ns", -1), ("bytes", "-memory", "B", -1))


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run topics", description=__doc__)
    contest.options(parser, runs=5)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/var/tmp"),
                        help="on the disk that keeps the logs (default /var/tmp)")
    parser.add_argument("--messages", type=int, default=MESSAGES, help=f"of a log that is read (default {MESSAGES})")
    parser.add_argument("--idle", type=int, default=IDLE, help=f"subscriptions whose memory is measured (default {IDLE})")
    parser.add_argument("--prebuilt", action="store_true", help="the build folder has everything")
    return contest.parse(parser, [row.name for row in FIGURES])


# ---- the servers ----

def jetstream(state, port, more=""):
    """A nats-server whose streams are in that folder; its configuration stands there, too."""
    config = state / "nats.conf"
    config.write_text(f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{state}/streams"{more} }}\n', encoding="ascii")
    return ["nats-server", "-c", config]


def knows_always(folder):
    """Whether this nats-server can be told to sync each message; Debian 12's cannot yet."""
    with tempfile.TemporaryDirectory(dir=folder) as state:
        program, *words = jetstream(pathlib.Path(state), 0, ", sync_interval: always")
        path = contest.find_program(program)
        return bool(path) and subprocess.run([path, *words, "-t"], check=False, capture_output=True).returncode == 0


def written_through(folder):
    """Whether the files in a folder can be made such that each write is on the disk when it returns."""
    path = contest.find_program("chattr")
    return bool(path) and subprocess.run([path, "-R", "+S", folder], check=False, capture_output=True).returncode == 0


def jetstream_always(args, state, port):
    if args.always == "sync_interval:always":
        return jetstream(state, port, ", sync_interval: always")
    if not written_through(state):
        raise SystemExit(f"topics: {state} cannot be written through any more")
    return jetstream(state, port)


def how_always(folder):
    """How JetStream is made to have a message on the disk before it confirms it; None: here it cannot be."""
    if knows_always(folder):
        return "sync_interval:always"
    with tempfile.TemporaryDirectory(dir=folder) as state:
        return "each-write-synced" if written_through(state) else None


def command(args, name, state):
    """(where, command)"""
    if name == "ours":
        where = f"ipc://{state}/socket"
        return where, [args.build / "daemon/goroutined", "--endpoint", where, "--state", state / "state", "--lane", "auto"]
    if name == "redis":
        return f"unix:{state}/redis", ["redis-server", "--port", "0", "--save", "", "--unixsocket", f"{state}/redis"]
    port = contest.free_port()
    return port, {"nats": lambda: ["nats-server", "-a", "127.0.0.1", "-p", port],
                  "jetstream": lambda: jetstream(state, port),
                  "jetstream-always": lambda: jetstream_always(args, state, port)}[name]()


def kept(args, name):
    """Words about how safe a message is when the peer has confirmed it."""
    return {"jetstream": " kept=as-shipped,no-sync", "jetstream-always": f" kept={args.always}"}.get(name, "")


# ---- the figures ----

def program(args, figure, name, lane, server, number):
    """What one run of `topics` said, as numbers."""
    words = [args.build / "tests/bench/topics", figure, name.removesuffix("-always"), server.where,
             str(round(args.seconds * 1000)), str(number), str(server.pid)]
    return contest.said(words, RUN_SECONDS, {"GOROUTINED_LANE": lane})


def fill(args, name, servers):
    """Puts a log into a server; that of JetStream is written once, by one that syncs as it likes."""
    server = servers.get(name)
    if not server:
        return
    said = program(args, "fill", name, "auto", server, args.messages)
    print(f"topics fill of={name} messages={args.messages} rate={said['rate']:.0f}/s", flush=True)
    if name == "jetstream" and args.always:
        state = servers.folder / f"{name}{servers.starts}"
        servers.stop(name, signal.SIGTERM)
        copy = shutil.copytree(state, servers.folder / f"copy{servers.starts}")
        servers.start(name, state)
        servers.start("jetstream-always", copy)


def contestants(args, row, servers):
    """[(name, server)]: us, then the peers that are there."""
    names = ["ours", *(name for name in row.want if not args.peers or name in args.peers)]
    if not args.always and "jetstream-always" in names:
        names.remove("jetstream-always")
        print("topics: the peer jetstream-always is left out: neither this nats-server nor this disk can be told to sync each "
              "message", flush=True)
    if row.logged:
        for name in ("ours", "jetstream"):
            fill(args, name, servers)
        return [(name, servers.running[name]) for name in names if name in servers.running]
    return [(name, server) for name in names if (server := servers.get(name))]


def compare(args, row, ours, name, theirs):
    """Lines against one peer; the number of those that are short."""
    short = 0
    for key, suffix, unit, better in KEYS:
        if key not in ours:
            continue
        verdict, is_short = contest.judge((ours[key] / theirs[key]) ** better, row.want[name])
        short += is_short
        print(f"topics {row.name}{suffix} ours={ours[key]:.0f}{unit} peer={name}:{theirs[key]:.0f}{unit} {verdict} "
              f"lane={row.lane}{kept(args, name)} ours: {contest.costs(ours)} peer: {contest.costs(theirs)}".rstrip(),
              flush=True)
    return short


def measure(args, row, servers):
    """Every contestant in each turn, on servers that are new for the figure, or for the turn where memory is measured."""
    found = {}
    field = contestants(args, row, servers)
    number = args.messages if row.logged else args.idle if row.number is None else row.number
    for turn in range(args.runs):
        if turn and row.figure == "idle":
            servers.stop_all()
            field = contestants(args, row, servers)
        for name, server in field:
            found.setdefault(name, []).append(program(args, row.figure, name, row.lane, server, number))
    servers.stop_all()
    found = {name: contest.medians(runs) for name, runs in found.items()}
    if len(found) == 1:
        values = " ".join(f"{key}={value:.0f}" for key, value in found["ours"].items())
        print(f"topics {row.name} lane={row.lane} {values}", flush=True)
    return sum(compare(args, row, found["ours"], name, theirs) for name, theirs in found.items() if name != "ours")


def main():
    args = arguments()
    args.build = args.build.resolve()
    if not args.prebuilt:
        contest.build(args.build, ["tests/bench/topics", "daemon/goroutined", "daemon/host/goroutined-host"])
    args.always = how_always(args.folder)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        servers = contest.Servers("topics", folder, lambda name, state: command(args, name, state))
        try:
            short = sum(measure(args, row, servers) for row in FIGURES if not args.only or row.name in args.only)
        finally:
            servers.stop_all()
    print(f"{short} short" if short else "none short")


main()
