#!/usr/bin/env python3
"""kill -9 of the daemon (at any time, and around a commit), of hosts, of clients and of a receiver, in turn and at random,
while jobs end with transactions (moving_plugin.c).

usage: kill_transaction.py BUILD MOVING_LEDGER CHANNEL_LEDGER MOVING [--kills N] [--clients N] [--seed N]

Each job moves a value from one durable channel to another: its result, a further job, the send and the acknowledgement are one
transaction. All parties write what they do into a file that outlives them. At the end the daemon is killed once more; then
all jobs are awaited, and the channels drained. For each job that is done (IP13.1, IP13.2) its value has been taken away, has
been sent on once, and has one further job; no part is there of a transaction that is not; what was told stands; and no
value that was acknowledged is lost.
"""
import argparse, collections, os, random, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
from kills import Party, kill_daemon, kill_host, kill_in_commit
from node import Node

IN, OUT = "chaos.in", "chaos.out"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("ledger")
    parser.add_argument("channel_ledger")
    parser.add_argument("moving")
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1000000)
    return parser.parse_args()


class Story:
    """What the lines "T|S value", "J id", "B|C|E id value", "M|F id state value" and "R value flagged" tell, and "R value
    flagged" of what was left."""

    def __init__(self, lines, left):
        self.tried, self.sent, self.jobs, self.begun, self.told = set(), set(), set(), set(), set()
        self.moves, self.follows, self.received = [], [], []
        places = {"T": self.tried, "S": self.sent, "B": self.begun, "C": self.told, "E": self.told}
        for what, *words in (line.split() for line in lines):
            if what in "TS":
                places[what].add(" ".join(words))
            elif what in "BCE":
                places[what].add((words[0], " ".join(words[1:])))
            elif what == "J":
                self.jobs.add(words[0])
            elif what == "R":
                self.received.append((" ".join(words[:2]), words[2] == "1"))
            else:
                (self.moves if what == "M" else self.follows).append((words[0], words[1], " ".join(words[2:])))
        self.left = {" ".join(line.split()[1:3]) for line in left}


def twice(values):
    return [value for value, n in collections.Counter(values).items() if n > 1]


def judge(lines, left=()):
    """What the rules do not allow, in words."""
    story = Story(lines, left)
    moved = {job: value for job, _, value in story.moves}
    values = set(moved.values())
    parts = {"received": {value for value, _ in story.received}, "submitted": {v for _, _, v in story.follows}}
    faults = [f"job {job} ended {state}" for job, state, _ in story.moves + story.follows if state != "done"]
    faults += [f"{value} was moved twice" for value in twice(moved.values())]
    faults += [f"{value} was submitted twice" for value in twice(v for _, _, v in story.follows)]
    faults += [f"{value} was sent on twice" for value in twice(v for v, flagged in story.received if not flagged)]
    for what, those in parts.items():
        faults += [f"{value} was moved and not {what}" for value in values - those]
        faults += [f"{value} was {what} and not moved" for value in those - values]
    faults += [f"{value} was moved and is still there" for value in values & story.left]
    faults += [f"{value} was acknowledged and is lost" for value in story.sent - values - story.left]
    faults += [f"{value} is there, and nobody sent it" for value in (values | story.left) - story.tried]
    faults += [f"job {job} was acknowledged and is lost" for job in story.jobs - set(moved)]
    faults += [f"job {job}: {value} was told, and is not so" for job, value in story.told if moved.get(job) != value]
    faults += [f"job {job} had not got {value}" for job, value in moved.items() if (job, value) not in story.begun]
    return faults


def prove_the_judge():
    good = ["T a 1", "S a 1", "J 7", "B 7 a 1", "C 7 a 1", "R a 1 0", "E 7 a 1", "R a 1 1", "M 7 done a 1", "F 8 done a 1",
            "T a 2", "S a 2", "T a 3"]
    left = ["R a 2 1"]
    assert judge(good, left) == [], judge(good, left)
    for without in (["M 7 done a 1"], ["F 8 done a 1"], ["R a 1 0", "R a 1 1"], ["B 7 a 1"], ["T a 1"]):
        assert judge([line for line in good if line not in without], left), without
    for bad in ("J 9", "F 9 done a 1", "R a 1 0", "M 9 done a 1", "R a 2 0", "C 7 a 2", "E 9 a 1", "F 8 failed a 1"):
        assert judge([*good, bad], left), bad
    for remains in ([], ["R a 2 1", "R a 1 1"], ["R a 2 0", "R a 4 0"]):
        assert judge(good, remains), remains


def kill_all(node, clients, receiver, kills):
    ways = {"daemon": lambda: kill_daemon(node), "host": lambda: kill_host(node), "client": clients.kill,
            "commit": lambda: kill_in_commit(node), "receiver": receiver.kill}
    killed = dict.fromkeys(ways, 0)
    for i in range(kills):
        whom = random.choice(list(ways)) if i >= len(ways) else list(ways)[i]
        clients.living.wait_for(random.randrange(1, 40))
        killed[whom] += ways[whom]()
    return killed


def run(command, env):
    subprocess.run(command, env=env, timeout=600, check=True, stdout=subprocess.DEVNULL)


def load(args, node, file):
    """Who was killed how often."""
    clients = Party([args.ledger, "feed", file, args.moving, str(args.clients)], node.env)
    receiver = None
    try:
        clients.living.wait_for(1)  # the channels are there
        receiver = Party([args.channel_ledger, "recv", file, OUT], node.env)
        killed = kill_all(node, clients, receiver, args.kills)
        clients.living.stop()
        receiver.living.stop()
    finally:
        clients.living.end()
        if receiver:
            receiver.living.end()
    return killed


def read(file):
    with open(file) as lines:
        return lines.readlines()


def main():
    args = arguments()
    random.seed(args.seed)
    print(f"seed {args.seed}", flush=True)
    prove_the_judge()
    limits = ["--limit", "crashes_max=1000", "--limit", "retained_jobs_max=1000000"]
    with Node(args.build, *limits) as node:
        file, rest = f"{node.folder}/ledger", f"{node.folder}/rest"
        killed = load(args, node, file)
        kill_daemon(node)
        run([args.ledger, "look", file], node.env)
        run([args.channel_ledger, "drain", file, OUT], node.env)
        run([args.channel_ledger, "drain", rest, IN], node.env)
        lines, left = read(file), read(rest)
        faults = judge(lines, left)
        assert not faults, "\n".join(faults[:20])
        kinds = collections.Counter(line[0] for line in lines)
        print(f"killed {killed}, {kinds['M']} transactions, {kinds['B'] - kinds['M']} begun in vain, {len(left)} values left")
        assert node.stop() == 0
        run([f"{args.build}/daemon/goroutined", "--fsck", f"{node.folder}/state"], node.env)


main()
