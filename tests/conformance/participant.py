"""participant.py ENDPOINT SOCKET [cut]: a participant (seat.h) in which client/examples/goroutine_client.py does what is
ordered. Each seat is a thread with a client of its own; with "cut", one whose connection is cut again and again."""

import errno
import socket
import struct
import sys
import threading

import goroutine_client as gc
from goroutine_client import pb

ORDER, ITEM, ANSWER = struct.Struct("=IIIIQQIIII32s"), struct.Struct("=QQII"), struct.Struct("=qQiI")
(JOIN, STOP_NEW, STOP_CANCEL, STOP_FREE, OPEN, DROP, UNLINK, CLOSE, LEN, CAP, SEND, RECV, SEND_MANY, RECV_MANY,
 SELECT, SEND_CHAN, RECV_CHAN) = range(1, 18)
WAIT_FOREVER, WAIT_NOW, WAIT_PAST, WAIT_STOP, WAIT_SOON = range(5)
WAY_SEND = 1
ERRNO = {pb.CLOSED: errno.EPIPE, pb.CANCELED: errno.ECANCELED, pb.TIMED_OUT: errno.ETIMEDOUT, pb.TOO_BIG: errno.E2BIG,
         pb.WOULD_BLOCK: errno.EAGAIN, pb.NOT_PERMITTED: errno.EPERM, pb.INVALID: errno.EINVAL}

stops = {}  # of the whole participant


def how(wait, stop):
    if wait == WAIT_STOP:
        return {"stop": stops[stop]}
    return {"until": {WAIT_FOREVER: gc.FOREVER, WAIT_NOW: gc.NOW, WAIT_PAST: gc.after(0)}.get(wait, gc.after(0.001))}


def body(value, size):
    return value.to_bytes(8, sys.byteorder)[:size]


def number(value):
    return int.from_bytes(value, sys.byteorder)


class Cut(gc.Client):
    """What is under way when its connection is cut, either way, is lost."""
    steps = 0

    def step(self, stop=None, silence_ms=100):
        self.steps += 1
        if self.steps % 5 == 0:
            self.dealer.close(linger=0)
            self.connect()
            silence_ms = 1  # it notices soon
        return super().step(stop, silence_ms)


class Seat:
    def __init__(self, kind, endpoint, path):
        self.kind, self.endpoint, self.path, self.client = kind, endpoint, path, None

    def run(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as test:
            test.connect(self.path)
            while order := test.recv(1 << 16):
                test.send(self.answer(order))
        if self.client:
            self.client.bye()

    def answer(self, order):
        """Result, handle, status of a select's case and values received."""
        try:
            result, handle, status, values = self.do(order)
        except gc.Failed as failed:
            result, handle, status, values = -ERRNO.get(failed.status, errno.EREMOTEIO), 0, 0, []
        return ANSWER.pack(result, handle, status, len(values)) + struct.pack(f"={len(values)}Q", *values)

    def do(self, order):
        verb, wait, stop, n, handle, capacity, size, flags, rights, _, name = ORDER.unpack_from(order)
        items = [ITEM.unpack_from(order, ORDER.size + i * ITEM.size) for i in range(n)]
        name, chan = name.rstrip(b"\0").decode(), handle or None
        if verb <= STOP_FREE:
            return self.control(verb, stop), 0, 0, []
        if not self.client:
            self.client = self.kind(self.endpoint)
        if verb == OPEN:
            return 0, self.client.open(name, flags=flags, rights=rights, capacity=capacity, element_bytes=size), 0, []
        if verb in (SEND, SEND_MANY):
            sent = self.client.send(chan, *(body(value, size) for _, value, _, size in items), **how(wait, stop))
            return sent if verb == SEND_MANY else 0, 0, 0, []
        if verb in (RECV, RECV_MANY):
            values = self.client.recv_many(chan, n if verb == RECV_MANY else 1, **how(wait, stop))
            return len(values), 0, 0, [number(value) for value in values]
        if verb == SEND_CHAN:
            inner, value, _, size = items[0]
            self.client.send(chan, gc.Carrying(body(value, size), [inner]), **how(wait, stop))
            return 0, 0, 0, []
        if verb == RECV_CHAN:
            values = self.client.recv_values(chan, 1, **how(wait, stop))
            return len(values), values[0].handles[0].handle if values else 0, 0, []
        if verb == SELECT:
            return self.select(items, how(wait, stop))
        return self.plain(verb, chan, name), 0, 0, []

    def control(self, verb, stop):
        if verb == JOIN:
            threading.Thread(target=Seat(self.kind, self.endpoint, self.path).run).start()
        elif verb == STOP_NEW:
            stops[stop] = gc.Stop()
        elif verb == STOP_CANCEL:
            stops[stop].cancel()
        else:
            stops.pop(stop).close()
        return 0

    def select(self, items, until):
        cases = [gc.Send(chan or None, body(value, size)) if way == WAY_SEND else gc.Recv(chan or None)
                 for chan, value, way, size in items]
        index, value, ok = self.client.select(*cases, **until)
        if isinstance(cases[index], gc.Send):
            return index, 0, 0 if ok else -errno.EPIPE, []
        return index, 0, int(ok), [number(value)] if ok else []

    def plain(self, verb, chan, name):
        if verb in (LEN, CAP):
            info = self.client.info(chan)
            return info.length if verb == LEN else info.capacity
        if verb == UNLINK:
            self.client.unlink(name)
        elif verb == DROP:
            self.client.drop(chan)
        else:
            self.client.close(chan)
        return 0


Seat(Cut if "cut" in sys.argv[3:] else gc.Client, *sys.argv[1:3]).run()
