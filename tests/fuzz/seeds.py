"""Writes the first inputs of fuzz_core, one story a file: seeds.py FOLDER. See fuzz_core.c for the form of a story.

What libFuzzer then makes of them is kept in corpus/; run this again only when the protocol has grown:
PYTHONPATH=build/client/examples /usr/bin/python3 tests/fuzz/seeds.py FOLDER"""

import itertools
import pathlib
import struct
import sys

import goroutined_pb2 as pb

HANDLE = (1 << 14 | 1) << 40 | 1  # the first handle of node 1, incarnation 1
UP, DEATH, CONN_END, STORED, FETCHED, PLUGIN, HOST_UP, HOST_END, TIME, DRAIN, FRAME = 1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10
RECOVER, CONSISTENT, UNSEEN = 1, 1, 2
FOREVER, NOW, IN = "FOREVER", "NOW", "IN"


class Story:
    """Sessions come up in places 0, 1, …; place n talks on connection n + 1 (whose credentials match)."""

    def __init__(self):
        self.bytes = b"\0\0"
        self.numbers, self.ops = {}, {}
        self.peers = 0

    def event(self, what, place=0, extra=b""):
        self.bytes += bytes([what + 16 * place]) + extra
        return self

    def up(self, place):
        """A session and its HELLO."""
        self.peers += 1
        self.event(UP, place)
        return self.frame(place, {"version": 1, "hello": {"session": bytes([self.peers]) * 16, "program": b"seed"}})

    def frame(self, place, frame, parts=()):
        # Connection 1 + c has the user 1000 + (1 + c) % 2, place p the user 1000 + p % 2.
        conn = place ^ 1
        self.numbers[place] = self.numbers.get(place, 0) + 1
        head = pb.ClientFrame(**{"number": self.numbers[place], **frame}).SerializeToString()
        body = bytes([len(parts)]) + b"".join(struct.pack("<H", len(part)) + part for part in (head, *parts))
        return self.event(FRAME, conn, body)

    def op(self, place, verb, fields, until=FOREVER, ns=0, parts=(), run=0, **frame):
        self.ops[place] = self.ops.get(place, 0) + 1
        request = {"id": self.ops[place], "until": until, "until_ns": ns, "run": run, verb: fields}
        return self.frame(place, {"requests": [request], **frame}, parts)

    def make(self, place, name=b"c", capacity=0, flags=1, **more):
        return self.op(place, "chan_open", {"name": name, "capacity": capacity, "flags": flags, **more})

    def send(self, place, handle, *values, **more):
        return self.op(place, "send", {"handle": handle, "values": [{"body": value} for value in values]}, **more)

    def recv(self, place, handle, most=1, **more):
        return self.op(place, "recv", {"handle": handle, "max": most}, **more)


    def lock(self, place, name=b"m", flags=0, **more):
        return self.op(place, "lock", {"name": name, "flags": flags}, **more)

    def unlock(self, place, nth, name=b"m", flags=0, **more):
        """The nth grant of all."""
        return self.op(place, "unlock", {"name": name, "token": 1 << 40 | nth, "flags": flags}, **more)


    def subscribe(self, place, pattern=b"t", full=0, capacity=1, **more):
        return self.op(place, "subscribe", {"pattern": pattern, "full": full, "capacity": capacity}, **more)

    def publish(self, place, *bodies, topic=b"t", **more):
        return self.op(place, "publish", {"topic": topic, "messages": [{"value": {"body": body}} for body in bodies]}, **more)


SUBMIT = {"plugin": b"/p.so", "function": b"f", "argument": {"body": b"a"}, "attempts_max": 2}


def job_runs():
    """Place 1 is the host, and has been offered the first run."""
    job = (Story().up(0).op(0, "submit", SUBMIT).event(PLUGIN).event(STORED).op(0, "job_list", {})
           .event(FETCHED, 0, b"\2\1\0").event(HOST_UP, 1))
    job.peers += 1
    job.frame(1, {"version": 1, "hello": {"session": b"\2" * 16, "program": b"host"}})
    return job.op(1, "reserve", {"generation": b"abcd", "window": 4}).event(FETCHED, 0, b"\0\0\0").event(STORED)


def lock_stories():
    several = lambda: Story().up(0).up(1).up(2).lock(0).lock(1).lock(2)
    yield "lock", several().unlock(0, 1).unlock(1, 2).unlock(2, 3)
    yield "lock_death", several().event(DEATH, 0).unlock(1, 2, flags=CONSISTENT).unlock(2, 3)
    yield "lock_broken", (several().lock(2, flags=RECOVER).event(DEATH, 0).unlock(1, 2).lock(1).unlock(2, 3)
                          .lock(1).lock(1, flags=RECOVER).unlock(1, 4, flags=CONSISTENT).lock(2))
    yield "lock_unseen", (several().event(CONN_END, 0).unlock(0, 1).event(DEATH, 1).unlock(2, 3, flags=UNSEEN))
    yield "lock_news_unseen", several().event(DEATH, 0).unlock(1, 2, flags=UNSEEN).unlock(2, 3, flags=CONSISTENT)
    yield "lock_recovery_unseen", (several().event(DEATH, 0).unlock(1, 2).lock(1, flags=RECOVER)
                                   .unlock(1, 3, flags=UNSEEN).lock(1).lock(2, flags=RECOVER))
    yield "lock_ends", (several().lock(1, until=IN, ns=5).lock(1, until=NOW).frame(1, {"cancels": [1]})
                        .event(TIME, 0, b"\x10\0").frame(2, {"returns": [{"op": 1}]}).unlock(0, 1).lock(1))
    yield "lock_wrongly", (several().unlock(1, 1).unlock(0, 7).unlock(0, 1, b"n").unlock(0, 1).unlock(0, 1)
                           .unlock(2, 2).unlock(1, 2, flags=UNSEEN | CONSISTENT))
    twice = Story().up(0).up(1)
    for place in 0, 1, 0:
        twice.frame(place, {"requests": [{"id": 1, "until": FOREVER, "lock": {"name": b"m"}}] * 2})
    yield "lock_twice", twice.frame(0, {"requests": [{"id": 2, "unlock": {"name": b"m", "token": 1 << 40 | 1}}] * 2})
    resume = several()
    resume.event(CONN_END, 0).unlock(0, 1).numbers[1] = 0
    yield "lock_resume", (resume.frame(1, {"version": 1, "resume": {"session": b"\2" * 16, "open_ops": [1]}})
                          .unlock(1, 2, bye=True).unlock(2, 3, bye=True))
    yield "lock_run", job_runs().lock(1, run=1 << 40 | 1).lock(0).event(HOST_END, 0, b"\1\0").event(TIME, 8, b"\1\0")


def topic_stories():
    """Handles count over all places, in the order of subscriptions. 2: one ends when it is full; 3: publishes wait."""
    pair = lambda full=0, pattern=b"t": Story().up(0).up(1).subscribe(1, pattern, full)
    yield "topic", pair().publish(0, b"a").recv(1, HANDLE, 4).frame(1, {"acks": [{"op": 2}]}).publish(0, b"b", b"c", b"d")
    yield "topic_oldest", pair(1).publish(0, b"a", b"b", b"c").recv(1, HANDLE, 4).frame(1, {"returns": [{"op": 2}]}).recv(1, HANDLE)
    yield "topic_cut", pair(2).publish(0, b"a", b"b").recv(1, HANDLE).recv(1, HANDLE).publish(0, b"c")
    yield "topic_waits", (pair(3).publish(0, b"a", b"b", b"c").publish(0, b"d", until=NOW).publish(0, b"e", until=IN, ns=9)
                          .recv(1, HANDLE).event(TIME, 0, b"\x10\0").frame(0, {"cancels": [1]}).recv(1, HANDLE))
    yield "topic_late", pair(3).publish(0, b"a", b"b").event(TIME, 8, b"\2\0").recv(1, HANDLE, 2).recv(1, HANDLE)
    yield "topic_patterns", (Story().up(0).up(1).subscribe(0, b"a.*").subscribe(1, b"a.>").subscribe(1, b">").subscribe(1, b"*.b")
                             .publish(0, b"v", topic=b"a.b").publish(0, b"w", topic=b"a").publish(0, b"x", topic=b"a.b.c")
                             .recv(1, HANDLE + 1, 9).recv(1, HANDLE + 2, 9).op(1, "chan_drop", {"handle": HANDLE + 3})
                             .op(0, "topic_list", {"limit": 2}).op(0, "topic_info", {"topic": b"a.b"}))
    yield "topic_close", (pair().subscribe(0).subscribe(0, b"t.>").recv(0, HANDLE + 1).op(1, "topic_close", {"topic": b"t"})
                          .publish(1, b"a").recv(1, HANDLE).subscribe(1))
    yield "topic_death", pair(3).publish(0, b"a", b"b").event(DEATH, 0).recv(1, HANDLE).event(DEATH, 1)
    yield "topic_passed", (Story().up(0).up(1).subscribe(0).make(0, b"c", 1).make(1, b"c", 1).op(0, "send", {
        "handle": HANDLE + 1, "values": [{"handles": [{"handle": HANDLE}]}]}).recv(1, HANDLE + 2).publish(0, b"a")
        .recv(1, HANDLE + 4).event(DEATH, 0))
    yield "topic_wrongly", (pair().send(1, HANDLE, b"v").op(1, "close", {"handle": HANDLE}).publish(0, b"a", topic=b"a.*")
                            .subscribe(1, b"a..b").publish(0).op(0, "publish", {"topic": b"t", "messages": [
                                {"value": {"body": b"a"}, "headers": [{"name": b"n", "value": b"v"}], "key": b"k", "once": b"o"}]}))


def feed_stories():
    """Batches: the rule, the feed, the topic with its first messages, then each publish and the jobs of it."""
    kept = lambda: Story().up(0).up(1).op(0, "topic_set", {"pattern": b"t.>", "settings": b"durable=yes"}).event(STORED)
    feed = lambda story, place=0, **more: story.op(place, "feed_set", {"name": b"f", **more})
    made = lambda: feed(kept(), pattern=b"t.>", function=b"f").event(STORED)
    yield "feed", (made().publish(0, b"a", b"b", topic=b"t.x").event(STORED).event(STORED).event(STORED).op(0, "feed_list", {})
                   .publish(0, b"c", topic=b"t.y").event(STORED).event(STORED, 8).event(TIME, 8, b"\x10\0").event(STORED))
    yield "feed_plugin", (feed(kept(), pattern=b"t.*", function=b"f", plugin=b"/p.so", argument=2).event(PLUGIN).event(STORED)
                          .publish(0, b"a", topic=b"t.x").event(STORED).event(STORED).event(STORED).event(HOST_UP, 1))
    yield "feed_changes", (feed(feed(made().publish(1, b"a", topic=b"t.x").event(STORED).event(STORED), ahead=1, pause=1), pause=2)
                           .event(STORED).event(STORED, 8).event(STORED).op(0, "feed_remove", {"name": b"f"}).event(STORED)
                           .publish(0, b"b", topic=b"t.x").event(STORED))
    yield "feed_from", (feed(made().publish(0, b"a", topic=b"t.x").event(STORED).event(STORED), **{"from": 2}).event(STORED)
                        .event(STORED).op(0, "topic_purge", {"topic": b"t.x"}).event(STORED).event(DEATH, 0).event(STORED))
    yield "feed_wrongly", feed(feed(feed(made(), 1, pause=1), pattern=b"t..x"), function=b"f f").op(0, "feed_remove", {"name": b"g"})


def stories():
    pair = lambda: Story().up(0).up(1).make(0).make(1)
    yield "rendezvous", pair().recv(1, HANDLE + 1).send(0, HANDLE, b"v").frame(1, {"acks": [{"op": 2}]})
    yield "handed_death", pair().send(0, HANDLE, b"v").recv(1, HANDLE + 1).event(DEATH, 1).recv(0, HANDLE)
    yield "returned", pair().send(0, HANDLE, b"v").recv(1, HANDLE + 1).frame(1, {"returns": [{"op": 2}]})
    yield "buffer", (Story().up(0).make(0, capacity=2).send(0, HANDLE, b"a", b"b", b"c").recv(0, HANDLE, 2)
                     .op(0, "close", {"handle": HANDLE}).recv(0, HANDLE).frame(0, {"ack_mark": 6}))
    yield "parts", Story().up(0).make(0, capacity=1).op(
        0, "send", {"handle": HANDLE, "values": [{"part": 1}]}, parts=(b"x" * 100,)).recv(0, HANDLE)
    yield "select", (pair().make(0, b"d", 1).op(1, "select", {"cases": [
        {"kind": 2, "handle": HANDLE + 1}, {"kind": 1, "handle": HANDLE + 1, "value": {"body": b"s"}}]})
        .send(0, HANDLE, b"v").op(0, "select", {"cases": [{"kind": 3, "handle": 1}]}))
    yield "cancel", pair().recv(0, HANDLE).frame(0, {"cancels": [2]}).recv(0, HANDLE, until=IN, ns=5).event(
        TIME, 0, b"\x10\0")
    yield "tries", pair().recv(0, HANDLE, until=NOW).send(0, HANDLE, b"v", until=NOW)
    yield "ring", Story().up(0).make(0, capacity=1, full=1).send(0, HANDLE, b"a", b"b", b"c").recv(0, HANDLE, 9)
    yield "owner", pair().make(0, b"o", 1, 5).make(1, b"o", 1).event(DEATH, 0).recv(1, HANDLE + 3)
    yield "lists", (Story().up(0).make(0).op(0, "chan_list", {"limit": 1}).op(0, "chan_info", {"handle": HANDLE})
                    .op(0, "stats", {}).op(0, "ping", {"payload": {"body": b"p"}}).op(0, "chan_unlink", {"name": b"c"})
                    .op(0, "chan_drop", {"handle": HANDLE}))
    resume = Story().up(0).make(0).recv(0, HANDLE)
    resume.numbers[0] = 0
    yield "resume", resume.frame(0, {"version": 1, "resume": {"session": b"\1" * 16, "open_ops": [2, 3]}})
    yield "gap", Story().up(0).make(0).frame(0, {"number": 9}).event(CONN_END, 1)
    yield "again", Story().up(0).make(0).frame(0, {"requests": [{"id": 1, "chan_open": {}}]}).frame(0, {"bye": True})
    yield "job", job_runs()
    yield "host_end", (Story().up(0).op(0, "submit", SUBMIT).event(PLUGIN).event(STORED).event(HOST_UP, 1)
                       .event(HOST_END, 0, b"\1\0").event(TIME, 8, b"\1\0").event(DRAIN).event(STORED, 8))
    yield "op_status", Story().up(0).make(0).event(DEATH, 0).up(1).op(1, "op_status", {"session": b"\1" * 16, "op": 1})


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, story in itertools.chain(stories(), lock_stories(), topic_stories(), feed_stories()):
        (folder / name).write_bytes(story.bytes)


main()
