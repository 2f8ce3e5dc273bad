"""Puts jobs through one daemon, each submitted, run and ended, and looks whether what it takes of the machine stays bounded
(endurance.py says how) once as many ended jobs are kept as the daemon keeps. Ends with as many jobs as were asked for, or when
the time is over, and says how many it were."""

import argparse
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import endurance  # noqa: E402: it lies beside this folder

JOBS = 10_000_000
WORK = endurance.Work("durable", "jobs")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    endurance.options(parser)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--retained", type=int, default=100_000, help="ended jobs that the daemon keeps")
    return parser.parse_args()


def look(daemon, seconds):
    seen = daemon.stats()
    return endurance.Sample(seconds, seen["jobs.done"], seen["jobs.retained"], endurance.figures(seen))


def main():
    args = arguments()
    with endurance.Daemon(args, ["--limit", f"retained_jobs_max={args.retained}"]) as daemon:
        program = daemon.build / "tests/bench/durable"
        subprocess.run([program, "await", "ours", daemon.where, "0", "0"], check=True, stdout=subprocess.DEVNULL)
        words = [program, "life", "ours", daemon.where, str(round(args.seconds * 1000)), "0", str(daemon.pid)]
        producer = subprocess.Popen(words, env={"BENCH_PLUGIN": str(daemon.build / "tests/bench/bench.so")},
                                    stdout=subprocess.DEVNULL)
        samples = endurance.watch(WORK, args.jobs, producer, lambda seconds: look(daemon, seconds))
    full = [one for one in samples if one.kept >= args.retained]
    return endurance.report(WORK, args, args.jobs, samples, full)


sys.exit(main())
