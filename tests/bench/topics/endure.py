"""Puts messages through one kept topic of one daemon, published in batches and meanwhile taken by a group that acknowledges each,
and looks whether what the daemon takes of the machine stays bounded (endurance.py says how) once the topic keeps as many as it
may. Ends with as many messages as were asked for, or when the time is over, and says how many it were.

Who publishes is never far ahead of who takes them: a message that the topic lets go before the group had it would stop both. A
topic that keeps more than it may is a failure, too."""

import argparse
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import endurance  # noqa: E402: it lies beside this folder

MESSAGES, TOPIC = 10_000_000, "bench"  # the topic of ours_log.c
AHEAD = 40_000  # who publishes there may be so far ahead, and a little less
WORK = endurance.Work("topics", "messages")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    endurance.options(parser)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--kept", type=int, default=100_000, help="messages that the topic keeps")
    args = parser.parse_args()
    if args.kept < AHEAD:
        parser.error(f"--kept: at least {AHEAD}, or messages go before the group has them")
    return args


def look(args, daemon, seconds):
    """There is no other kept topic, so a sequence is a number of messages: the group has done all up to its floor."""
    groups, topics = daemon.rows("durable", "ls"), daemon.rows("topic", "ls", TOPIC)
    kept = topics[0].get("messages", 0) if topics else 0
    if kept > args.kept:
        raise SystemExit(f"endure: the topic keeps {kept} messages")
    return endurance.Sample(seconds, groups[0]["floor"] if groups else 0, kept, endurance.figures(daemon.stats()))


def main():
    args = arguments()
    with endurance.Daemon(args) as daemon:
        daemon.goctl("topic", "set", TOPIC, f"keep_messages={args.kept}")
        words = [daemon.build / "tests/bench/topics", "through", "ours", daemon.where, str(round(args.seconds * 1000)), "1",
                 str(daemon.pid)]
        producer = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        samples = endurance.watch(WORK, args.messages, producer, lambda seconds: look(args, daemon, seconds))
    full = [one for one in samples if one.done >= args.kept]
    return endurance.report(WORK, args, args.messages, samples, full)


sys.exit(main())
