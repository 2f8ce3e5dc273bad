#!/usr/bin/python3
"""goroutine_client.py: channels of a goroutined from Python, written from proto/PROTOCOL.md and nothing else.

    client = Client()
    results = client.make("results", 16)                    # results := make(chan []byte, 16)
    client.send(results, b"hello")                          # results <- "hello"
    value, ok = client.recv(results, until=after(0.05))     # value, ok := <-results, for at most 50 ms
    for value in client.range(results):                     # for value := range results

Needs python3-zmq, python3-protobuf, and beside it the schema: protoc --python_out=. -I proto goroutined.proto
A client does one operation at a time, for one thread at a time; what shall wait beside it takes another client. Between
calls it does nothing: an acknowledgement that is lost is said again by the next call. Only for the daemon's own machine
(ipc): over tcp a client has a lease to keep instead of the lifeline."""

import collections
import os
import select
import socket
import struct
import sys
import time

import zmq

import goroutined_pb2 as pb

CREATE, EXCLUSIVE = 1, 2  # enum open_flags
CASE_SEND, CASE_RECV = 1, 2  # enum case_kind
DOUBT, HANDED = 1, 16  # enum result_flags
UNKNOWN = 0  # enum op_fate
PART_BYTES = 8192  # PAYLOAD_FRAME_BYTES
SILENCE_MS = 1000
GREETING, FAREWELL = struct.Struct("=II16sQ"), struct.Struct("=IIiI240s")
FOREVER, NOW = None, -1

Send = collections.namedtuple("Send", "chan body")  # the cases of a select
Recv = collections.namedtuple("Recv", "chan")
Carrying = collections.namedtuple("Carrying", "body chans")  # a value with channels in it


def after(seconds):
    """When a call gives up: on the monotonic clock, in nanoseconds."""
    return max(0, time.monotonic_ns() + int(seconds * 1e9))


class Failed(Exception):
    """How an operation failed: a Status of the schema. It did not take effect, unless `doubt` says that it may have."""

    def __init__(self, status, text=b"", doubt=False, index=0):
        super().__init__(f"{pb.Status.Name(status)}: {text.decode()}")
        self.status, self.doubt, self.index = status, doubt, index


class Stop:
    """A cancellation, said by any thread, for every call that names it; also by those that begin later."""

    def __init__(self):
        self.event = os.eventfd(0)

    def cancel(self):
        os.eventfd_write(self.event, 1)  # nobody reads it: it stays said

    def cancelled(self):
        return bool(select.select([self.event], [], [], 0)[0])

    def close(self):
        os.close(self.event)


def default_endpoint():
    folder = os.environ.get("XDG_RUNTIME_DIR")
    return os.environ.get("GOROUTINED_ENDPOINT") or f"ipc://{folder or '/run'}/goroutined/socket"


def pack(bodies):
    """Values, and the parts of the message that hold the large ones."""
    values, parts = [], []
    for body in bodies:
        body, chans = body if isinstance(body, Carrying) else (body, [])
        parts += [body] if len(body) >= PART_BYTES else []
        values.append(pb.Value(part=len(parts)) if len(body) >= PART_BYTES else pb.Value(body=body))
        values[-1].handles.extend(pb.Passed(handle=chan) for chan in chans)
    return values, parts


def unpack(frame, parts):
    """Puts the bodies that came as parts into the values that name them."""
    for result in frame.results:
        for value in (*result.values, result.output, *(job.result for job in result.jobs),
                      *(job.argument for job in result.jobs)):
            if value.part:
                value.body = parts[value.part - 1]


class Client:
    """One session. Its state: the operation under way, and the numbers that make up for lost frames."""

    def __init__(self, endpoint=None, program="python"):
        self.endpoint, self.program = endpoint or default_endpoint(), program
        self.op, self.parts, self.cancelled = None, [], False
        self.last_id = 0  # of the last operation
        self.mark = 0  # the results up to this one have been surfaced
        self.attempt = 0  # of all HELLO and RESUME
        self.welcome = None
        self.greet()
        self.connect()
        self.bind()
        while not self.welcome:
            self.step()

    # ---- lifeline and connection

    def greet(self):
        """Opens the lifeline, which says who we are: the session id is the daemon's."""
        self.lifeline = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.lifeline.connect(self.endpoint.removeprefix("ipc://") + ".life")
        greeting = self.lifeline.recv(GREETING.size, socket.MSG_WAITALL)
        if len(greeting) < GREETING.size or GREETING.unpack(greeting)[0] != 0x6C696665:
            raise Failed(pb.NOT_PERMITTED, b"the daemon did not let this client in")
        self.session = GREETING.unpack(greeting)[2]

    def connect(self):
        self.dealer = zmq.Context.instance().socket(zmq.DEALER)
        self.dealer.connect(self.endpoint)

    def bind(self):
        """HELLO, and later RESUME: both sides count their frames from 1 again."""
        self.attempt += 1
        self.sent, self.seen, self.bound = 0, 0, False
        if self.welcome:
            open_ops = [self.op.id] if self.op else []
            self.write(resume=pb.Resume(session=self.session, open_ops=open_ops, attempt=self.attempt))
        else:
            with open("/proc/sys/kernel/random/boot_id", "rb") as boot_id:
                self.write(hello=pb.Hello(session=self.session, program=self.program.encode(), attempt=self.attempt,
                                          boot_id=boot_id.read().strip(),
                                          time_namespace=os.stat("/proc/self/ns/time").st_ino))

    def write(self, parts=(), **fields):
        self.sent += 1
        frame = pb.ClientFrame(version=1, number=self.sent, ack_mark=self.mark, **fields)
        self.dealer.send_multipart([frame.SerializeToString(), *parts])

    def read(self):
        """The next frame: its results. Where something was lost, the session is bound anew and there are none."""
        head, *parts = self.dealer.recv_multipart()
        frame = pb.ServerFrame.FromString(head)
        if frame.refused:
            raise Failed(frame.refused, frame.text, self.op is not None)
        if frame.HasField("welcome"):
            self.welcome, self.bound, self.seen = frame.welcome, True, frame.number
            self.say_again(frame.states)
        elif not self.bound or (frame.number <= self.seen and not frame.need_resume):
            return []  # of the count before, or seen
        elif frame.need_resume or frame.number > self.seen + 1:
            self.bind()
            return []
        self.seen = frame.number
        unpack(frame, parts)
        return frame.results

    def say_again(self, states):
        """What the daemon has not heard of the operation under way."""
        for state in states:
            if self.op and state.op == self.op.id and state.fate == UNKNOWN:
                self.write(self.parts, requests=[self.op])
        if self.op and self.cancelled:
            self.write(cancels=[self.op.id])

    def session_over(self):
        """The lifeline has something to say: a farewell, or, with its end, that the daemon has died."""
        farewell = self.lifeline.recv(FAREWELL.size, socket.MSG_WAITALL)
        if len(farewell) < FAREWELL.size:
            raise Failed(pb.RESTARTED, b"the daemon is gone", self.op is not None)
        _, _, _, size, text = FAREWELL.unpack(farewell)
        raise Failed(pb.SESSION_OVER, text[:size], self.op is not None)

    def step(self, stop=None, silence_ms=SILENCE_MS):
        """Waits for what comes next, and does it. The results that came."""
        poller = zmq.Poller()
        poller.register(self.dealer, zmq.POLLIN)
        poller.register(self.lifeline.fileno(), zmq.POLLIN)
        if stop and not self.cancelled:
            poller.register(stop.event, zmq.POLLIN)
        ready = dict(poller.poll(silence_ms))
        if self.dealer in ready:
            return self.read()
        if self.lifeline.fileno() in ready:
            self.session_over()
        elif ready:
            self.cancelled = True
            self.write(cancels=[self.op.id])  # its one result will say what has come first
        else:
            self.bind()  # nobody tells when a connection was cut: an answer may be lost
        return []

    # ---- operations

    def call(self, parts=(), until=FOREVER, stop=None, **verb):
        """One operation, named as in Op, and its one result."""
        if stop and stop.cancelled():
            raise Failed(pb.CANCELED)
        self.last_id += 1
        self.op, self.parts, self.cancelled = pb.Op(id=self.last_id, **self.until(until), **verb), parts, False
        self.write(parts, requests=[self.op])
        try:
            result = self.result(stop)
        finally:
            self.op = None
        self.mark = self.last_id  # the value is the caller's: acknowledged with the next frame,
        if result.flags & HANDED:
            self.write()  # or with one of its own, where a sender waits for that
        if result.status:
            raise Failed(result.status, result.text, bool(result.flags & DOUBT), result.index)
        return result

    def result(self, stop):
        while True:
            for result in self.step(stop):
                if result.op == self.op.id:
                    return result

    def until(self, until):
        if until == FOREVER or until == NOW:
            return {"until": pb.NOW if until == NOW else pb.FOREVER}
        if self.welcome.absolute_deadlines:
            return {"until": pb.AT, "until_ns": until}
        return {"until": pb.IN, "until_ns": max(0, until - time.monotonic_ns())}

    def nothing(self, until=FOREVER, stop=None):
        """What waits on no channel waits here, for its deadline, its stop, or the end of the session."""
        left_ms = None if until is FOREVER else max(0, (until - time.monotonic_ns()) // 1_000_000)
        wait = [self.lifeline, *([stop.event] if stop else [])]
        ready = select.select(wait, [], [], left_ms if left_ms is None else left_ms / 1000)[0]
        if self.lifeline in ready:
            self.session_over()
        raise Failed(pb.CANCELED if ready else pb.WOULD_BLOCK if until == NOW else pb.TIMED_OUT)

    # ---- channels; None is the nil channel

    def open(self, name, **options):
        """Further options as in ChanOpen."""
        return self.call(chan_open=pb.ChanOpen(name=name.encode(), **options)).handle

    def make(self, name, capacity=0, **options):
        return self.open(name, capacity=capacity, flags=CREATE, **options)

    def drop(self, chan):
        self.call(chan_drop=pb.ChanDrop(handle=chan))

    def unlink(self, name):
        self.call(chan_unlink=pb.ChanUnlink(name=name.encode()))

    def info(self, chan):
        return self.call(chan_info=pb.ChanInfoOf(handle=chan)).chans[0]

    def close(self, chan):
        if chan is None:
            raise Failed(pb.INVALID, b"close of the nil channel")
        self.call(close=pb.Close(handle=chan))

    def send(self, chan, *bodies, **how):
        """All of them in one operation: how many were taken. `how`: until, stop."""
        if chan is None:
            self.nothing(**how)
        values, parts = pack(bodies)
        return self.call(parts, send=pb.Send(handle=chan, values=values), **how).outcome

    def recv_values(self, chan, most, **how):
        """Waits for one, and takes what is there, at most so many, as Values. None: closed and drained."""
        if chan is None:
            self.nothing(**how)
        return self.call(recv=pb.Recv(handle=chan, max=most), **how).values

    def recv_many(self, chan, most, **how):
        return [value.body for value in self.recv_values(chan, most, **how)]

    def recv(self, chan, **how):
        values = self.recv_many(chan, 1, **how)
        return (values[0], True) if values else (b"", False)

    def range(self, chan, **how):
        while values := self.recv_many(chan, 1, **how):
            yield values[0]

    def select(self, *cases, **how):
        """The index of the Send or Recv that took effect, the value, and false where it met a closed channel."""
        ready = [i for i, case in enumerate(cases) if case.chan is not None]
        if not ready:
            self.nothing(**how)
        values, parts = pack([getattr(cases[i], "body", b"") for i in ready])
        wire = [pb.SelectCase(kind=CASE_SEND, handle=cases[i].chan, value=value) if isinstance(cases[i], Send)
                else pb.SelectCase(kind=CASE_RECV, handle=cases[i].chan) for i, value in zip(ready, values)]
        try:
            result = self.call(parts, select=pb.Select(cases=wire), **how)
        except Failed as failed:
            if failed.status != pb.CLOSED:
                raise
            return ready[failed.index], b"", False
        body = result.values[0].body if result.values else b""
        return ready[result.index], body, bool(result.values) or wire[result.index].kind == CASE_SEND

    # ---- topics; a subscription is a channel, whose Values have a message

    def publish(self, topic, *bodies, key="", headers=(), delay_ns=0, at_us=0, **how):
        """All of them in one operation: how many subscriptions got one, as Published. `headers`: pairs. `delay_ns`, of a topic that is
        kept: they are published so much later; `at_us`: at that time."""
        values, parts = pack(bodies)
        told = [pb.Header(name=name.encode(), value=value.encode()) for name, value in headers]
        messages = [pb.Outgoing(value=value, key=key.encode(), headers=told) for value in values]
        what = pb.Publish(topic=topic.encode(), messages=messages, delay_ns=delay_ns, at_us=at_us)
        return self.call(parts, publish=what, **how).published

    def subscribe(self, pattern, **options):
        """Further options as in Subscribe."""
        return self.call(subscribe=pb.Subscribe(pattern=pattern.encode(), **options)).handle

    def close_topic(self, topic):
        return self.call(topic_close=pb.TopicClose(topic=topic.encode())).outcome

    def bye(self):
        """Ends the session in order: what was surfaced is acknowledged in the same frame."""
        self.write(bye=True)
        while self.lifeline.recv(FAREWELL.size):
            pass
        self.dealer.close(linger=0)
        self.lifeline.close()


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} CHANNEL   (prints what comes, until the channel is closed)")
    client = Client()
    for value in client.range(client.make(sys.argv[1])):
        print(value.decode())
    client.bye()


if __name__ == "__main__":
    main()
