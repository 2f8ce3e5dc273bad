#!/usr/bin/env python3
"""kill -9 of the daemon (at any time, and around a commit), of publishers and of members of groups, in turn and at random, while
they publish on kept topics and take from them.

usage: kill_topic.py BUILD TOPIC_LEDGER [--kills N] [--publishers N] [--seed N] [--plant back|lost|late]

All parties write what they do into files that outlive them (topic_ledger.c). Two groups read all topics: `ordered`, of several
processes, and `free`, of one. At the end the daemon is killed once more; then what the groups have left is received, and the log
is read from its start. The database of each daemon that was killed is in order (--fsck). What was confirmed is in the log, once,
with the sequence that was told, in the order of its sender (IP15.3, IP15.4, IP15.6). Each group had all of it; nothing after
its acknowledgement was answered (IP16.6); what came again came with the flag (IP16.4). `ordered` had each key in order, and where
a key went back, to what was acknowledged and not yet stored, it went on from there (IP16.3); `free` had what came without the flag in order. What was acknowledged in a transaction has one receipt, and nothing else has (IP15.9).
What was accepted to be published later is in the log of its topic when nothing waits any more, once and not before its time (IP15.10).

--plant makes something that none of this allows, before what is left is looked at: a group goes back to the start of the log, or
messages are purged. Then the judge must say so.
"""
import argparse, collections, json, os, random, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
from kills import Party, kill_daemon, kill_in_commit
from node import Node

KEPT, RECEIPTS, LATER = "chaos.kept", "chaos.receipt", "chaos.later"
# nobody is taken to be late here
GROUPS = {"ordered": "ack_wait=3600000 ordered=yes", "free": "ack_wait=3600000"}
PLANT_LINES = 100  # so that each topic has something to lose, and each group something to go back to
# how it is made, and what the judge must say
PLANTS = {
    "back": (["durable", "set", "free", "from=start"], "came again after its acknowledgement was answered"),
    "lost": (["topic", "purge", f"{KEPT}.0"], "was confirmed and is lost"),
    "late": (["topic", "purge", f"{LATER}.0"], "was accepted and never came"),
}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("ledger")
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--publishers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1000000)
    parser.add_argument("--plant", choices=PLANTS)
    return parser.parse_args()


def words(lines):
    """(letter, (sender, number), rest) of each line."""
    for letter, sender, number, *rest in (line.split() for line in lines):
        yield letter, (sender, int(number)), rest


class Published:
    """What the lines "T sender number", "S sender number sequence" tell."""

    def __init__(self, lines):
        self.tried, self.sequences = set(), {}
        for letter, value, rest in words(lines):
            if letter == "T":
                self.tried.add(value)
            else:
                self.sequences[value] = int(rest[0])


def judge_log(published, lines):
    """What the rules do not allow in "L sender number sequence", in words."""
    found, faults, before, last = {}, [], 0, {}
    for _, value, (sequence, *_) in words(lines):
        sender, number = value
        if value not in published.tried:
            faults.append(f"{value} is in the log, and nobody published it")
        if value in found:
            faults.append(f"{value} is in the log twice")
        elif number != last.get(sender, -1) + 1:
            faults.append(f"{value} is in the log behind {last.get(sender)}")
        if int(sequence) <= before:
            faults.append(f"{value}: {sequence} is behind {before}")
        found[value], last[sender], before = int(sequence), number, int(sequence)
    for value, sequence in sorted(published.sequences.items()):
        if value not in found:
            faults.append(f"{value} was confirmed and is lost")
        elif found[value] != sequence:
            faults.append(f"{value} was confirmed as {sequence} and is {found[value]}")
    return faults


def judge_later(accepted, lines):
    """What the rules do not allow in "L sender number sequence time", after "T sender number time" and "S sender number 0"."""
    due, confirmed, found, faults = {}, set(), set(), []
    for letter, value, (time_us,) in words(accepted):
        if letter == "T":
            due[value] = int(time_us)
        else:
            confirmed.add(value)
    for _, value, (_, time_us) in words(lines):
        if value not in due:
            faults.append(f"{value} came, and nobody published it")
        elif int(time_us) < due[value]:
            faults.append(f"{value} came {due[value] - int(time_us)} us before its time")
        if value in found:
            faults.append(f"{value} came twice")
        found.add(value)
    return faults + [f"{value} was accepted and never came" for value in sorted(confirmed - found)]


class Group:
    """What the lines "R sender number flagged" and "A sender number" tell of one group, and what not all rules allow of it."""

    def __init__(self, published, ordered):
        self.published, self.ordered = published, ordered
        self.received, self.answered, self.faults = set(), set(), []
        self.last, self.done = {}, {}  # of a sender: the last one that came; up to which all is answered for, where it is ordered

    def receive(self, value, flagged):
        sender, number = value
        last = self.last.get(sender, -1)
        if value not in self.published.tried:
            self.faults.append(f"{value} was received, and nobody published it")
        if value in self.answered or (self.ordered and number <= self.done.get(sender, -1)):
            self.faults.append(f"{value} came again after its acknowledgement was answered")
        if value in self.received and not flagged:
            self.faults.append(f"{value} came again without the flag")
        if self.ordered and number > last + 1:
            self.faults.append(f"{value} came behind {last}")
        if not flagged and number <= last:
            self.faults.append(f"{value} came without the flag behind {last}")
        if self.ordered or not flagged:
            self.last[sender] = number
        self.received.add(value)

    def read(self, lines):
        for letter, value, rest in words(lines):
            if letter == "A":
                self.answered.add(value)
                self.done[value[0]] = max(value[1], self.done.get(value[0], -1))
            else:
                self.receive(value, rest == ["1"])

    def judge(self, left, receipts):
        """`left`: what came in the end; `receipts`: "L sender number sequence"."""
        receipts = collections.Counter(value for _, value, _ in words(receipts))
        drained = {value for _, value, _ in words(left)}
        self.read(left)
        for value in sorted(self.published.sequences.keys() - self.received):
            self.faults.append(f"{value} was confirmed and never received")
        for value in sorted(self.received | receipts.keys()):
            wanted = value[1] % 2 if value not in drained else 0
            if receipts[value] != wanted:
                self.faults.append(f"{value} has {receipts[value]} receipts and not {wanted}")
        return self.faults


def judge_group(published, ordered, lines, left, receipts):
    group = Group(published, ordered)
    group.read(lines)
    return group.judge(left, receipts)


def prove_the_judge():
    published = Published(["T a 0", "S a 0 3", "T a 1", "T b 0", "S a 1 5", "S b 0 6", "T b 1"])
    log = ["L a 0 3", "L a 1 5", "L b 0 6", "L b 1 7"]
    assert judge_log(published, log) == judge_log(published, log[:3]) == []
    for bad in (log[:2], log[1:], [*log, "L c 0 8"], [*log, "L b 1 8"], ["L a 0 3", "L a 1 6", "L b 0 6"], [*log[:2], "L b 0 4"],
                ["L a 0 3", "L a 1 4", "L b 0 6"], [*log[:2], "L b 1 6"]):
        assert judge_log(published, bad), bad
    accepted, came = ["T a 0 50", "S a 0 0", "T a 1 40", "T b 0 60"], ["L b 0 1 70", "L a 0 2 50"]
    assert judge_later(accepted, came) == judge_later(accepted, came[1:]) == []
    for bad in (came[:1], [*came, "L a 1 3 39"], [*came, "L a 0 3 70"], [*came, "L c 0 3 70"]):
        assert judge_later(accepted, bad), bad
    lines = ["R a 0 0", "R b 0 0", "R b 0 1", "R a 1 0", "A a 0", "A a 1"]
    left, receipts = ["R b 1 1"], ["L a 1 9"]
    for ordered in (True, False):
        assert judge_group(published, ordered, lines, left, receipts) == []
        for bad in ("R a 1 1", "R b 0 0", "R c 0 0", "A b 0"):
            assert judge_group(published, ordered, [*lines, bad], [*left, "R b 0 1"], receipts), bad
        for bad in ([], ["L a 1 9", "L a 1 10"], ["L a 1 9", "L b 0 10"], ["L a 1 9", "L b 1 10"]):
            assert judge_group(published, ordered, lines, left, bad), bad
        assert judge_group(published, ordered, lines[:1], ["R a 1 0"], []), "b is lost"
        assert judge_group(published, ordered, ["R a 1 0", "R a 0 0", "R b 0 0"], [], receipts), "behind"
    assert judge_group(published, True, ["R a 0 0", "R a 1 0", "A a 1", "R a 0 1", "R b 0 0"], [], receipts), "answered for"


def run(command, env):
    subprocess.run(command, env=env, timeout=600, check=True, stdout=subprocess.DEVNULL)


def check_state(node):
    run([f"{node.build}/daemon/goroutined", "--fsck", f"{node.folder}/state"], node.env)


def parties_of(args, node):
    def member(name, threads):
        return Party([args.ledger, "member", f"{node.folder}/{name}", name, GROUPS[name], str(threads)], node.env)

    yield "publishers", Party([args.ledger, "publish", f"{node.folder}/published", str(args.publishers)], node.env)
    yield "delayers", Party([args.ledger, "later", f"{node.folder}/accepted", "2"], node.env)
    yield "member", member("ordered", 2)
    yield "other member", member("ordered", 2)
    yield "reader", member("free", 1)


def kill_all(node, parties, kills):
    ways = {"daemon": lambda: kill_daemon(node, check_state), "commit": lambda: kill_in_commit(node, check_state)}
    ways |= {name: party.kill for name, party in parties.items()}
    killed = dict.fromkeys(ways, 0)
    for i in range(kills):
        whom = random.choice(list(ways)) if i >= len(ways) else list(ways)[i]
        for party in parties.values():
            party.living.wait_for(random.randrange(1, 40))
        ways[whom]()
        killed[whom] += 1
    return killed


def load(args, node):
    """Who was killed how often."""
    parties = {}
    try:
        for name, party in parties_of(args, node):
            parties[name] = party
        killed = kill_all(node, parties, args.kills)
        for party in parties.values():
            party.living.wait_for(PLANT_LINES if args.plant else 1)
        for party in parties.values():
            party.living.stop()
    finally:
        for party in parties.values():
            party.living.end()
    return killed


def read(path):
    if not os.path.exists(path):
        return []
    with open(path) as lines:
        return lines.readlines()


def until_all_has_come(node):
    """Nothing waits for its time any more."""
    for line in node.goctl("topic", "ls", f"{LATER}.*", "--json").stdout.splitlines():
        while json.loads(node.goctl("topic", "info", json.loads(line)["name"], "--json").stdout)["delayed"]:
            assert node.process.poll() is None, "the daemon is gone"


def judge_all(args, node):
    """What is left is received, and the log read. Faults, and how many lines of each kind there were."""
    published = Published(read(f"{node.folder}/published"))
    run([args.ledger, "log", f"{node.folder}/kept", KEPT], node.env)
    faults = judge_log(published, read(f"{node.folder}/kept"))
    accepted = read(f"{node.folder}/accepted")
    run([args.ledger, "log", f"{node.folder}/came", LATER], node.env)
    faults += judge_later(accepted, read(f"{node.folder}/came"))
    counts = collections.Counter(confirmed=len(published.sequences), accepted=sum(line[0] == "S" for line in accepted))
    for name, settings in GROUPS.items():
        left, receipts = f"{node.folder}/{name}.left", f"{node.folder}/{name}.receipts"
        run([args.ledger, "drain", left, name, settings], node.env)
        run([args.ledger, "log", receipts, f"{RECEIPTS}.{name}"], node.env)
        lines = read(f"{node.folder}/{name}")
        faults += [f"{name}: {fault}" for fault in
                   judge_group(published, name == "ordered", lines, read(left), read(receipts))]
        counts += collections.Counter({"answered": sum(line[0] == "A" for line in lines), "left": len(read(left)),
                                       "again": sum(line.endswith(" 1\n") for line in lines if line[0] == "R")})
    return faults, dict(counts)


def plant(args, node):
    """What the judge must say of it."""
    command, said = PLANTS[args.plant]
    result = node.goctl(*command)
    assert result.returncode == 0, result
    return said


def main():
    args = arguments()
    random.seed(args.seed)
    print(f"seed {args.seed}", flush=True)
    prove_the_judge()
    with Node(args.build) as node:
        result = node.goctl("topic", "set", "chaos.>", "durable=yes")
        assert result.returncode == 0, result
        killed = load(args, node)
        kill_daemon(node, check_state)
        until_all_has_come(node)
        said = plant(args, node) if args.plant else None
        faults, counts = judge_all(args, node)
        print(f"killed {killed}, {counts}")
        if said:
            assert any(said in fault for fault in faults), faults[:20]
        else:
            assert not faults, "\n".join(faults[:20])
        assert node.stop() == 0
        check_state(node)


main()
