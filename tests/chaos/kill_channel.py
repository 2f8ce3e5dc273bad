#!/usr/bin/env python3
"""kill -9 of the daemon, of senders and of the receiver of a durable channel, in turn and at random, under load.

usage: kill_channel.py BUILD CHANNEL_LEDGER [--kills N] [--senders N] [--seed N]

Senders and receiver write what they do into a file that outlives them (channel_ledger.c). At the end the daemon is killed once
more, and what is left is received. Then (IP12.2, IP12.3): every value whose send was acknowledged has been received; nothing
was that nobody sent; whatever came again came with the flag; values without it came in the order of their sender.
"""
import argparse, os, random, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
from kills import Party, kill_daemon
from node import Node

CHANNEL = "chaos.kept"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("ledger")
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1000000)
    return parser.parse_args()


def judge(lines):
    """What the rules do not allow in the lines "T|S|R sender number [flagged]", in words."""
    tried, sent, received, last, faults = set(), set(), set(), {}, []
    for what, sender, number, *flagged in (line.split() for line in lines):
        value = (sender, int(number))
        if what == "T":
            tried.add(value)
        elif what == "S":
            sent.add(value)
        else:
            unflagged = flagged == ["0"]
            if value not in tried:
                faults.append(f"{value} was received, and nobody sent it")
            if unflagged and value in received:
                faults.append(f"{value} came again without the flag")
            if unflagged and value[1] <= last.get(sender, -1):
                faults.append(f"{value} came behind {last[sender]}")
            if unflagged:
                last[sender] = value[1]
            received.add(value)
    return faults + [f"{value} was acknowledged and is lost" for value in sorted(sent - received)]


def prove_the_judge():
    good = ["T a 1", "S a 1", "T a 2", "R a 1 0", "S a 2", "R a 1 1", "R a 2 0", "T a 3", "R a 3 0"]
    assert judge(good) == []
    for bad in (["R a 1 0"], ["R b 1 1"], ["T a 4", "S a 4"], ["T a 5", "T a 4", "R a 5 0", "R a 4 0"]):
        assert judge(good + bad), bad


def kill_all(node, parties, kills):
    killed = {"daemon": 0, "senders": 0, "receiver": 0}
    for i in range(kills):
        whom = random.choice(list(killed)) if i >= 3 else list(killed)[i]
        for party in parties.values():
            party.living.wait_for(random.randrange(1, 60))
        if whom == "daemon":
            kill_daemon(node)
        else:
            parties[whom].kill()
        killed[whom] += 1
    return killed


def main():
    args = arguments()
    random.seed(args.seed)
    print(f"seed {args.seed}", flush=True)
    prove_the_judge()
    with Node(args.build) as node:
        file = f"{node.folder}/ledger"
        parties = {"senders": Party([args.ledger, "send", file, CHANNEL, str(args.senders)], node.env)}
        parties["receiver"] = Party([args.ledger, "recv", file, CHANNEL], node.env)
        try:
            killed = kill_all(node, parties, args.kills)
            for party in parties.values():
                party.living.stop()
        finally:
            for party in parties.values():
                party.living.end()
        node.kill()
        node.start()
        subprocess.run([args.ledger, "drain", file, CHANNEL], env=node.env, timeout=600, check=True,
                       stdout=subprocess.DEVNULL)
        with open(file) as lines:
            faults = judge(lines)
        assert not faults, "\n".join(faults[:20])
        with open(file) as lines:
            kinds = [line.split()[0] + line.split()[-1] * (line[0] == "R") for line in lines]
        print(f"killed {killed}, {kinds.count('S')} sends acknowledged, {kinds.count('R1')} values came again")
        assert node.stop() == 0
        subprocess.run([f"{args.build}/daemon/goroutined", "--fsck", f"{node.folder}/state"], check=True,
                       stdout=subprocess.DEVNULL)


main()
