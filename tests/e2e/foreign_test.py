"""foreign_test.py GOROUTINED: what PROTOCOL.md says, asked of a real daemon by a client that knows nothing else.

Each test is a function whose name states one outcome; they share one daemon and use names of their own. Frames are built
here as the schema has them, so that a test can say what no library would."""

import contextlib
import os
import socket
import threading

import foreign
import goroutine_client
from foreign import ENDPOINT
from goroutine_client import pb

CREATE, EXCLUSIVE = 1, 2
CLOSED, MORE, HANDED = 2, 4, 16
REDELIVERED, RETURNED = 1, 2


def varint(number):
    return (bytes([number & 127 | 128]) + varint(number >> 7)) if number > 127 else bytes([number])


def field(number, body):
    """Bytes of a field that the schema may not have."""
    return varint(number << 3 | 2) + varint(len(body)) + body


class Raw(goroutine_client.Client):
    """One session. `call` is one operation and its result; `write` and `read` are frames as the schema has them."""

    def __init__(self):
        self.endpoint, self.last_id, self.mark = ENDPOINT, 0, 0
        self.greet()
        self.lifeline.settimeout(20)
        self.connect()

    def connect(self):
        super().connect()
        self.dealer.rcvtimeo, self.dealer.linger, self.number = 20000, 0, 0

    def write(self, frame, parts=()):
        self.number += 1
        self.dealer.send_multipart([pb.ClientFrame(**{"number": self.number, **frame}).SerializeToString(), *parts])

    def read(self):
        head, *parts = self.dealer.recv_multipart()
        frame = pb.ServerFrame.FromString(head)
        goroutine_client.unpack(frame, parts)
        return frame

    def hello(self, version=1):
        with open("/proc/sys/kernel/random/boot_id", "rb") as boot_id:
            self.write({"version": version, "hello": {
                "session": self.session, "program": b"foreign", "boot_id": boot_id.read().strip(),
                "time_namespace": os.stat("/proc/self/ns/time").st_ino}})
        return self.read()

    def resume(self, open_ops):
        self.number = 0
        self.write({"version": 1, "ack_mark": self.mark, "resume": {"session": self.session, "open_ops": open_ops}})
        return self.read()

    def request(self, verb, fields, **op):
        """An operation with the next id."""
        self.last_id += 1
        return {"id": self.last_id, verb: fields, **op}

    def result(self, op):
        """Reads until the result of an operation is there."""
        while True:
            for result in self.read().results:
                if result.op == op:
                    return result

    def call(self, verb, fields, parts=(), **op):
        request = self.request(verb, fields, **op)
        self.write({"ack_mark": self.mark, "requests": [request]}, parts)
        result = self.result(request["id"])
        self.mark = request["id"]
        return result

    def send_with(self, more, op):
        """A frame of one operation with something behind its fields."""
        body = pb.Op(**op).SerializeToString() + more
        self.number += 1
        self.dealer.send(pb.ClientFrame(number=self.number).SerializeToString() + field(10, body))

    def farewell(self):
        """(error, text) the daemon says before it closes the lifeline."""
        magic, _, error, size, text = goroutine_client.FAREWELL.unpack(self.lifeline.recv(256, socket.MSG_WAITALL))
        assert magic == 0x62796521, "farewell"
        return error, text[:size]

    def end(self):
        self.dealer.close()
        self.lifeline.close()


@contextlib.contextmanager
def bound():
    """A client whose connection is bound to its session."""
    client = Raw()
    try:
        welcome = client.hello().welcome
        assert welcome.session == client.session
        client.window = welcome.window_ops
        yield client
    finally:
        client.end()


def make(client, name, capacity=0, **more):
    result = client.call("chan_open", {"name": name, "capacity": capacity, "flags": CREATE, **more})
    assert result.status == pb.OK, result
    return result.handle


def send(client, handle, *bodies, **more):
    return client.call("send", {"handle": handle, "values": [{"body": body} for body in bodies]}, **more)


def recv(client, handle, most=1, **more):
    return client.call("recv", {"handle": handle, "max": most}, **more)


def bodies(result):
    return [value.body for value in result.values]


def expect(got, **wanted):
    """Statuses by name; without any, it must be OK."""
    for field, value in {"status": "OK", **wanted}.items():
        is_ = getattr(got, field, 0)
        is_ = pb.Status.Name(is_) if field in ("status", "refused") else is_
        assert is_ == value, f"{field} is {is_!r}, not {value!r}, in {got}"


# ---- lifeline and sessions


def test_greeting_and_welcome_name_the_same_session():
    with bound() as client:
        assert client.session != bytes(16)


def test_bye_is_answered_by_a_farewell_without_error():
    with bound() as client:
        client.write({"bye": True})
        assert client.farewell()[0] == 0


def test_who_writes_what_is_no_frame_on_the_lifeline_is_sent_away():
    with bound() as client:
        client.lifeline.send(b"\xff" * 8)
        assert client.farewell()[0] < 0


def test_a_wrong_version_is_refused_naming_both():
    client = Raw()
    answer = client.hello(version=77)
    expect(answer, refused="WRONG_VERSION")
    assert b"77" in answer.text and b"1" in answer.text
    client.end()


def test_an_unbound_connection_is_told_to_resume():
    client = Raw()
    client.write({"requests": [client.request("ping", {})]})
    expect(client.read(), need_resume=1)
    client.end()


def test_a_session_nobody_was_given_is_refused():
    client = Raw()
    client.session = bytes(range(16))
    expect(client.hello(), refused="NOT_PERMITTED")
    client.end()


def test_resuming_a_session_that_has_ended_says_so():
    with bound() as client:
        client.write({"bye": True})
        client.farewell()
        client.connect()
        expect(client.resume([]), refused="SESSION_OVER")


def test_resuming_a_session_nobody_knows_says_restarted():
    with bound() as client:
        client.session = bytes(range(16))
        client.connect()
        expect(client.resume([]), refused="RESTARTED")


# ---- frames


def test_garbage_is_refused_as_malformed():
    with bound() as client:
        client.dealer.send(b"\xff\xff\xff\xff garbage")
        expect(client.read(), refused="MALFORMED")


def test_a_truncated_frame_is_refused_as_malformed():
    with bound() as client:
        frame = pb.ClientFrame(number=2, requests=[client.request("ping", {})]).SerializeToString()
        client.dealer.send(frame[:-1])
        expect(client.read(), refused="MALFORMED")


def test_a_part_that_no_value_names_is_malformed():
    with bound() as client:
        client.write({}, [b"nobody's"])
        expect(client.read(), refused="MALFORMED")


def test_a_frame_that_comes_twice_acts_once():
    with bound() as client:
        handle = make(client, b"twice", 4)
        request = client.request("send", {"handle": handle, "values": [{"body": b"v"}]})
        client.write({"requests": [request]})
        client.number -= 1
        client.write({"requests": [request | {"id": request["id"] + 1}]})
        client.result(request["id"])
        expect(client.call("chan_info", {"handle": handle}).chans[0], length=1)


def test_a_gap_forces_a_resume():
    with bound() as client:
        client.number += 1
        client.write({"requests": [client.request("ping", {})]})
        expect(client.read(), need_resume=1)
        answer = client.resume([1])
        expect(answer.states[0], op=1, fate=0)
        expect(client.call("ping", {}))


def test_unknown_fields_are_ignored():
    with bound() as client:
        client.send_with(field(999, b"of tomorrow"), client.request("ping", {}))
        expect(client.result(client.last_id))


# ---- operations


def test_an_unknown_verb_is_not_supported():
    with bound() as client:
        client.last_id += 1
        client.send_with(field(max(pb.Op.DESCRIPTOR.fields_by_number) + 1000, b""), {"id": client.last_id})
        expect(client.result(client.last_id), status="NOT_SUPPORTED")


def test_verbs_of_hosts_are_not_permitted_to_others():
    with bound() as client:
        expect(client.call("reserve", {"generation": b"g", "window": 1}), status="NOT_PERMITTED")


def test_the_clock_cannot_be_moved_on_real_time():
    with bound() as client:
        expect(client.call("clock_advance", {"ns": 1}), status="NOT_SUPPORTED")


def test_IP7_1_a_request_that_comes_again_gets_its_result_again():
    with bound() as client:
        handle = make(client, b"again", 1)
        request = client.request("close", {"handle": handle})
        for _ in range(2):
            client.write({"requests": [request]})
            expect(client.result(request["id"]))
        expect(client.call("close", {"handle": handle}), status="CLOSED")


def test_IP7_1_an_acknowledged_id_is_stale():
    with bound() as client:
        client.call("ping", {})
        client.write({"ack_mark": 1, "requests": [{"id": 1, "ping": {}}]})
        expect(client.result(1), status="STALE")


def test_IP7_2_a_parked_operation_goes_on_after_a_resume():
    with bound() as client, bound() as other:
        handle, theirs = make(client, b"resumed"), make(other, b"resumed")
        request = client.request("recv", {"handle": handle, "max": 1})
        client.write({"requests": [request]})
        while not other.call("chan_info", {"handle": theirs}).chans[0].receivers:
            pass
        client.dealer.close()
        client.connect()
        answer = client.resume([request["id"], 99])
        assert [(state.op, state.fate) for state in answer.states] == [(request["id"], 1), (99, 0)], answer
        other.write({"requests": [other.request("send", {"handle": theirs, "values": [{"body": b"v"}]})]})
        assert bodies(client.result(request["id"])) == [b"v"]


def test_a_wait_ends_at_its_deadline_or_cancel():
    with bound() as client:
        handle = make(client, b"waits")
        expect(recv(client, handle, until="NOW"), status="WOULD_BLOCK")
        expect(recv(client, handle, until="IN", until_ns=1000000), status="TIMED_OUT")
        request = client.request("recv", {"handle": handle, "max": 1})
        client.write({"requests": [request]})
        client.write({"cancels": [request["id"]]})
        expect(client.result(request["id"]), status="CANCELED")


# ---- channels


def test_values_come_back_in_order_and_whole():
    with bound() as client:
        handle = make(client, b"values", 8)
        expect(send(client, handle, b"one", b"", b"three"), outcome=3)
        result = recv(client, handle, 8)
        expect(result, outcome=3)
        assert bodies(result) == [b"one", b"", b"three"]


def test_large_values_travel_as_parts_both_ways():
    with bound() as client:
        handle = make(client, b"large", 2)
        large = bytes(range(256)) * 100
        client.call("send", {"handle": handle, "values": [{"part": 1}, {"body": b"small"}]}, [large])
        result = recv(client, handle, 2)
        assert bodies(result) == [large, b"small"]
        assert [value.part for value in result.values] == [1, 0]


def test_what_is_too_large_is_refused_with_words():
    with bound() as client:
        handle = make(client, b"small", 1, value_bytes_max=4)
        expect(send(client, handle, b"12345"), status="TOO_BIG")
        result = client.call("chan_open", {"name": b"n" * 256, "flags": CREATE})
        expect(result, status="TOO_BIG")
        assert b"255" in result.text


def test_a_name_with_a_forbidden_byte_is_refused_with_words():
    with bound() as client:
        result = client.call("chan_open", {"name": b"a b", "flags": CREATE})
        expect(result, status="INVALID")
        assert result.text


def test_U2_a_sender_is_told_when_its_receiver_has_acknowledged():
    with bound() as client, bound() as other:
        mine, theirs = make(client, b"handed"), make(other, b"handed")
        request = client.request("send", {"handle": mine, "values": [{"body": b"v"}]})
        client.write({"requests": [request]})
        receive = other.request("recv", {"handle": theirs, "max": 1})
        other.write({"requests": [receive]})
        expect(other.result(receive["id"]), flags=HANDED)
        ping = client.request("ping", {})
        client.write({"requests": [ping]})
        assert [result.op for result in client.read().results] == [ping["id"]]
        other.write({"acks": [{"op": receive["id"]}]})
        expect(client.result(request["id"]), outcome=1)


def test_IP3_what_a_dead_receiver_had_not_acknowledged_comes_again():
    with bound() as client:
        handle = make(client, b"requeued", 2)
        send(client, handle, b"v")
        with bound() as victim:
            receive = victim.request("recv", {"handle": make(victim, b"requeued", 2), "max": 1})
            victim.write({"requests": [receive]})
            victim.result(receive["id"])
        result = recv(client, handle)
        assert bodies(result) == [b"v"]
        expect(result.values[0], flags=REDELIVERED)


def test_IP1_2_what_is_returned_is_surely_unseen():
    with bound() as client:
        handle = make(client, b"returned", 4)
        send(client, handle, b"a", b"b")
        receive = client.request("recv", {"handle": handle, "max": 2})
        client.write({"requests": [receive]})
        client.result(receive["id"])
        client.write({"returns": [{"op": receive["id"], "count": 1}]})
        result = recv(client, handle, 2)
        assert bodies(result) == [b"b"]
        expect(result.values[0], flags=RETURNED)


def test_IP1_2_a_return_of_count_0_gives_all_back():
    with bound() as client:
        handle = make(client, b"returned-all", 4)
        send(client, handle, b"a", b"b")
        receive = client.request("recv", {"handle": handle, "max": 2})
        client.write({"requests": [receive]})
        client.result(receive["id"])
        client.write({"returns": [{"op": receive["id"]}]})
        assert bodies(recv(client, handle, 2)) == [b"a", b"b"]


def test_IP6_2_who_acknowledges_nothing_is_refused_at_the_window_until_it_does():
    with bound() as client:
        client.write({"requests": [client.request("ping", {}) for _ in range(client.window)]})
        expect(client.result(client.last_id))
        refused = client.request("ping", {})
        client.write({"requests": [refused]})
        expect(client.result(refused["id"]), status="OVER_LIMIT")
        client.mark = client.last_id - 1
        client.write({"ack_mark": client.mark, "requests": [refused]})
        expect(client.result(refused["id"]))


def test_C1_after_the_close_values_drain_and_then_it_is_closed():
    with bound() as client:
        handle = make(client, b"closing", 2)
        send(client, handle, b"last")
        expect(client.call("close", {"handle": handle}))
        assert bodies(recv(client, handle)) == [b"last"]
        expect(recv(client, handle), flags=CLOSED, outcome=0)
        expect(send(client, handle, b"late"), status="CLOSED")


def test_S4_a_select_takes_one_case():
    with bound() as client:
        a, b = make(client, b"sel-a", 1), make(client, b"sel-b", 1)
        send(client, a, b"v")
        send(client, b, b"w")
        cases = [{"kind": 2, "handle": a}, {"kind": 2, "handle": b}]
        first = client.call("select", {"cases": cases})
        second = client.call("select", {"cases": cases})
        assert {first.index, second.index} == {0, 1}
        expect(client.call("select", {"cases": cases}, until="NOW"), status="WOULD_BLOCK")


def test_D1_rights_are_those_of_the_handle():
    with bound() as client:
        handle = make(client, b"rights", 1, rights=2)
        expect(send(client, handle, b"v"), status="NOT_PERMITTED")
        expect(client.call("close", {"handle": handle}), status="NOT_PERMITTED")


def test_opening_says_what_is_there():
    with bound() as client:
        make(client, b"there", 3)
        expect(client.call("chan_open", {"name": b"nowhere"}), status="NOT_FOUND")
        expect(client.call("chan_open", {"name": b"there", "flags": CREATE | EXCLUSIVE}), status="EXISTS")
        expect(client.call("chan_open", {"name": b"there", "flags": CREATE, "capacity": 4}), status="EXISTS")
        expect(client.call("chan_unlink", {"name": b"there"}))
        expect(client.call("chan_open", {"name": b"there"}), status="NOT_FOUND")


def test_lists_come_in_pages():
    with bound() as client:
        for name in (b"page/1", b"page/2", b"page/3"):
            make(client, name)
        first = client.call("chan_list", {"prefix": b"page/", "limit": 2})
        expect(first, flags=MORE)
        names = [row.name for row in first.chans]
        second = client.call("chan_list", {"prefix": b"page/", "limit": 2, "after": names[-1]})
        expect(second, flags=0)
        assert names + [row.name for row in second.chans] == [b"page/1", b"page/2", b"page/3"]


# ---- jobs and the daemon


def test_an_unknown_job_is_not_found():
    with bound() as client:
        for verb in ("job_info", "job_wait", "job_cancel", "job_output"):
            expect(client.call(verb, {"job": 12345}), status="NOT_FOUND")


def test_a_submit_without_its_plugin_is_refused_with_words():
    with bound() as client:
        result = client.call("submit", {"plugin": b"/nowhere/plugin.so", "function": b"f"})
        expect(result, status="NOT_FOUND")
        assert result.text


def test_op_status_tells_of_a_session_that_has_ended():
    with bound() as client:
        with bound() as gone:
            handle = make(gone, b"settled", 1)
            request = gone.request("send", {"handle": handle, "values": [{"body": b"v"}]})
            gone.write({"ack_mark": 1, "requests": [request]})
            gone.result(request["id"])
            gone.write({"bye": True})
            gone.farewell()
        expect(client.call("op_status", {"session": gone.session, "op": request["id"]}), outcome=1)
        expect(client.call("op_status", {"session": gone.session, "op": request["id"] + 1}), outcome=0)
        expect(client.call("op_status", {"session": bytes(range(16)), "op": 1}), status="NOT_FOUND")


def test_ping_and_stats_answer():
    with bound() as client:
        expect(client.call("ping", {"payload": {"body": b"hello"}}), output=pb.Value(body=b"hello"))
        names = [row.name for row in client.call("stats", {"prefix": b"sess"}).stats]
        assert b"sessions" in names and all(name.startswith(b"sess") for name in names)


# ---- the client of the examples


class Cut(goroutine_client.Client):
    """Its connection is cut again and again; what is under way, either way, is lost."""
    steps = 0

    def step(self, stop=None, silence_ms=20):
        self.steps += 1
        if self.steps % 3 == 0:
            self.dealer.close(linger=0)
            self.connect()
        return super().step(stop, silence_ms)


def pair(kind, name, capacity=0):
    """Two clients and their handles of one channel."""
    clients = kind(ENDPOINT), kind(ENDPOINT)
    return [part for client in clients for part in (client, client.make(name, capacity))]


def test_IP7_values_arrive_once_and_in_order_through_cuts():
    numbers = [b"%d" % number for number in range(100)]
    for capacity in (0, 4):
        sender, out, receiver, into = pair(Cut, f"cut-{capacity}", capacity)
        sending = threading.Thread(target=lambda: [sender.send(out, number) for number in numbers], daemon=True)
        sending.start()
        assert [receiver.recv(into)[0] for _ in numbers] == numbers
        sending.join()
        sender.close(out)
        assert list(receiver.range(into)) == []
        assert min(sender.attempt, receiver.attempt) > len(numbers) / 3
        sender.bye()
        receiver.bye()


def test_IP1_1_a_cancel_is_said_again_after_a_cut():
    receiver, into, other, same = pair(Cut, "cut-cancel")
    failures = []

    def receive(stop):
        try:
            receiver.recv(into, stop=stop)
        except goroutine_client.Failed as failed:
            failures.append(failed.status)

    for _ in range(10):
        stop = goroutine_client.Stop()
        receiving = threading.Thread(target=receive, args=(stop,), daemon=True)
        receiving.start()
        while not other.info(same).receivers:
            pass
        stop.cancel()
        receiving.join()
        stop.close()
        assert not other.info(same).receivers
    assert failures == [pb.CANCELED] * 10


def test_large_values_pass_sends_receives_and_selects():
    sender, out, receiver, into = pair(goroutine_client.Client, "large-select", 3)
    large = bytes(range(256)) * 256
    assert sender.select(goroutine_client.Send(out, large)) == (0, b"", True)
    assert sender.send(out, b"small", large) == 2
    assert receiver.select(goroutine_client.Recv(None), goroutine_client.Recv(into)) == (1, large, True)
    assert receiver.recv_many(into, 5) == [b"small", large]


def test_IP14_messages_come_with_their_topic_key_and_headers():
    publisher, subscriber = goroutine_client.Client(ENDPOINT), goroutine_client.Client(ENDPOINT)
    news, large = subscriber.subscribe("foreign.*", capacity=3), b"x" * 100_000
    assert publisher.publish("foreign.news", b"one", large, key="k", headers=[("kind", "test")]).receivers == 2
    assert publisher.publish("foreign.news.other", b"no").receivers == 0
    values = subscriber.recv_values(news, 2)
    assert [value.body for value in values] == [b"one", large]
    message = values[0].message
    assert (message.topic, message.key, message.lost) == (b"foreign.news", b"k", 0)
    assert [(header.name, header.value) for header in message.headers] == [(b"kind", b"test")]
    published = publisher.publish("foreign.a", *[b"v"] * 5)
    assert (published.receivers, published.dropped) == (3, 2)
    try:
        publisher.publish("foreign.a", b"v", delay_ns=1)
        raise AssertionError("a live topic delays nothing")
    except goroutine_client.Failed as failed:
        assert "a delay needs a topic that is kept" in str(failed)
    assert publisher.close_topic("foreign.*") == 1
    assert list(subscriber.range(news)) == [b"v"] * 3
    publisher.bye()
    subscriber.bye()


def test_a_client_whose_daemon_sends_it_away_says_why():
    client = goroutine_client.Client(ENDPOINT)
    client.lifeline.send(b"\xff" * 8)
    try:
        client.recv(client.make("away"))
        assert False, "a receive without a session"
    except goroutine_client.Failed as failed:
        assert failed.status == pb.SESSION_OVER and str(failed) != "SESSION_OVER: ", failed


foreign.main(dict(globals()), "--ephemeral")
