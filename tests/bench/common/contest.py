"""What the measurements beside peers have in common: a build of their own, the daemon and the peers as processes, runs in
turns, their medians, and lines of a figure beside that of a peer."""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import statistics
import subprocess
import time
from collections import namedtuple

PACKAGES = {"nats": "nats-server", "jetstream": "nats-server", "jetstream-always": "nats-server", "redis": "redis-server",
            "gearman": "gearman-job-server", "gearman-kept": "gearman-job-server", "beanstalk": "beanstalkd",
            "beanstalk-memory": "beanstalkd", "postgres": "postgresql-15"}
# Where Debian puts what is not in everybody's path.
PROGRAMS = ":/usr/sbin:/sbin:/usr/lib/postgresql/15/bin"
START_SECONDS = 60
STARTS = 3  # the port that was free may be taken by the time it is needed

Server = namedtuple("Server", "where pid")


def options(parser, runs):
    parser.add_argument("--only", metavar="NAME[,NAME]", type=lambda s: s.split(","), help="these figures")
    parser.add_argument("--peers", metavar="NAME[,NAME]", type=lambda s: s.split(","), help="these peers")
    parser.add_argument("--runs", type=int, default=runs, help=f"of each figure on each side (default {runs})")
    parser.add_argument("--seconds", type=float, default=1, help="of each run (default 1)")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build-bench"),
                        help="build folder; made as a release build if absent (default build-bench)")


def parse(parser, names):
    """Arguments whose --only has names of figures."""
    args = parser.parse_args()
    unknown = set(args.only or []) - set(names)
    if unknown:
        parser.error(f"no figure {', '.join(sorted(unknown))}; {', '.join(dict.fromkeys(names))}")
    return args


def build(folder, targets):
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", folder, "--buildtype=release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, *targets], check=True, stdout=subprocess.DEVNULL)


def find_program(name):
    """Its path; None: not installed."""
    return shutil.which(str(name), path=os.environ["PATH"] + PROGRAMS)


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
    """The daemon and its peers, each started when it is first needed, and told when it is not there.

    `command(name, folder)` gives (where, arguments of the program) for a server that keeps what it keeps in that folder,
    which is new with each start."""

    def __init__(self, title, folder, command):
        self.title, self.folder, self.command = title, pathlib.Path(folder), command
        self.running, self.processes, self.absent, self.starts = {}, {}, set(), 0

    def get(self, name):
        """Where it is, or None when it is not installed."""
        if name in self.absent:
            return None
        if name not in self.running:
            self.starts += 1
            state = self.folder / f"{name}{self.starts}"
            state.mkdir()
            self.start(name, state)
        return self.running.get(name)

    def start(self, name, state):
        """With what is in that folder already."""
        for _ in range(STARTS):
            where, command = self.command(name, state)
            path = find_program(command[0])
            if not path:
                print(f"{self.title}: the peer {name} is left out: Debian package {PACKAGES[name]} is not installed", flush=True)
                self.absent.add(name)
                return
            user = self.user(state) if name == "postgres" else {}
            process = subprocess.Popen([path, *command[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=state,
                                       **user)
            self.processes[name] = process
            self.running[name] = Server(where, process.pid)
            if self.wait(process, name, where):
                return
        raise SystemExit(f"{self.title}: {name} does not start")

    def user(self, state):
        """PostgreSQL does not run as root; it has to be given its database, too."""
        user = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            os.chown(state, entry.pw_uid, entry.pw_gid)
            self.folder.chmod(0o711)
            user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        if not (state / "data").exists():
            subprocess.run([find_program("initdb"), "--auth=trust", "--username=bench", state / "data"], check=True, cwd=state,
                           stdout=subprocess.DEVNULL, **user)
        return user

    def wait(self, process, name, where):
        """Whether it answers, before it ends."""
        until = time.monotonic() + START_SECONDS
        probe = [find_program("pg_isready"), "--quiet", f"--dbname={where}"]
        while process.poll() is None and time.monotonic() < until:
            if subprocess.run(probe, check=False).returncode == 0 if name == "postgres" else answers(where):
                return process.poll() is None
            time.sleep(0.01)
        return False

    def stop(self, name, by=signal.SIGKILL):
        process = self.processes.pop(name)
        del self.running[name]
        process.send_signal(by)
        process.wait()

    def stop_all(self):
        for name in list(self.running):
            self.stop(name, signal.SIGQUIT if name == "postgres" else signal.SIGKILL)


def said(command, seconds, env=None):
    """What a program said in pairs NAME=NUMBER."""
    out = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=seconds)
    if out.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {out.stderr}")
    return {key: float(value) for key, value in (pair.split("=") for pair in out.stdout.split())}


def medians(runs):
    """{key: median} of several runs."""
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def judge(ratio, want):
    """(words for the ratio, whether it is short); want None: only reported."""
    verdict = "reported" if want is None else f"want={want:g} {'ok' if ratio >= want else 'short'}"
    return f"ratio={ratio:.2f} {verdict}", verdict.endswith("short")


def costs(said):
    return " ".join(f"{key.removesuffix('_ns')}={value:.0f}" for key, value in said.items() if "cpu" in key)
