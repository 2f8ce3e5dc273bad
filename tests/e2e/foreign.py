"""A client of goroutined that shares no code with libgoclient: written from PROTOCOL.md, over libzmq by ctypes, with the
schema read from goroutined.proto. Shows that the document is enough, and lets tests say what the library never would."""

import ctypes
import os
import pathlib
import re
import socket
import struct

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "proto" / "goroutined.proto"
NUMBERS = {"uint32", "uint64", "int64", "sint32", "bool"}


class Schema:
    """Messages as {name: {field: (number, type, repeated)}} and enums as {name: {value name: number}}."""

    def __init__(self, text):
        text = re.sub(r"//[^\n]*", "", text)
        self.enums = {name: {word: int(number) for word, number in re.findall(r"(\w+) = (\d+);", body)}
                      for name, body in re.findall(r"enum (\w+) \{(.*?)\}", text, re.S)}
        self.messages = {}
        for name, body in re.findall(r"^message (\w+) \{(.*?)^\}", text, re.S | re.M):
            fields = re.findall(r"(repeated )?(\w+) (\w+) = (\d+);", body)
            self.messages[name] = {field: (int(number), kind, bool(many)) for many, kind, field, number in fields}

    def encode(self, message, values):
        out = b""
        for field, value in values.items():
            number, kind, many = self.messages[message][field]
            for one in value if many else [value]:
                out += self.encode_field(number, kind, one)
        return out

    def encode_field(self, number, kind, value):
        if kind in self.enums:
            return varint(number << 3) + varint(self.enums[kind].get(value, value))
        if kind == "sint32":
            return varint(number << 3) + varint(value << 1 if value >= 0 else (-value << 1) - 1)
        if kind in NUMBERS:
            return varint(number << 3) + varint(int(value) & (1 << 64) - 1)
        if kind == "double":
            return varint(number << 3 | 1) + struct.pack("<d", value)
        body = value if kind == "bytes" else self.encode(kind, value)
        return varint(number << 3 | 2) + varint(len(body)) + body

    def decode(self, message, data):
        """All fields that are there, as a dict; repeated ones as lists; statuses by name."""
        by_number = {number: (field, kind, many) for field, (number, kind, many) in self.messages[message].items()}
        out = {}
        while data:
            tag, data = read_varint(data)
            raw, data = read_raw(tag & 7, data)
            if tag >> 3 not in by_number:
                continue
            field, kind, many = by_number[tag >> 3]
            value = self.decode_value(kind, raw)
            if many:
                out.setdefault(field, []).extend(value if isinstance(value, list) else [value])
            else:
                out[field] = value
        return out

    def decode_value(self, kind, raw):
        if kind in self.enums:
            return next((word for word, number in self.enums[kind].items() if number == raw), raw)
        if kind in self.messages:
            return self.decode(kind, raw)
        if kind in NUMBERS and isinstance(raw, bytes):
            return unpack(raw)
        if kind == "sint32":
            return raw >> 1 ^ -(raw & 1)
        return raw


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def read_varint(data):
    value = shift = 0
    for index, byte in enumerate(data):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, data[index + 1:]
    raise ValueError("a number without an end")


def read_raw(wire_type, data):
    if wire_type == 0:
        return read_varint(data)
    if wire_type == 1:
        return struct.unpack("<d", data[:8])[0], data[8:]
    if wire_type == 2:
        size, data = read_varint(data)
        return data[:size], data[size:]
    raise ValueError(f"wire type {wire_type}")


def unpack(raw):
    """Packed numbers."""
    values = []
    while raw:
        value, raw = read_varint(raw)
        values.append(value)
    return values


class Dealer:
    """A DEALER socket of libzmq: sends and receives lists of parts."""

    DEALER, RCVMORE, LINGER, RCVTIMEO, SNDMORE = 5, 13, 17, 27, 2

    def __init__(self, endpoint, timeout_ms=20000):
        self.zmq = ctypes.CDLL("libzmq.so.5", use_errno=True)
        self.zmq.zmq_ctx_new.restype = self.zmq.zmq_socket.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.zmq.zmq_ctx_new())
        self.socket = ctypes.c_void_p(self.zmq.zmq_socket(self.context, self.DEALER))
        self.option(self.LINGER, 0)
        self.option(self.RCVTIMEO, timeout_ms)
        if self.zmq.zmq_connect(self.socket, endpoint.encode()) != 0:
            raise OSError(f"cannot connect to {endpoint}")

    def option(self, number, value):
        value = ctypes.c_int(value)
        self.zmq.zmq_setsockopt(self.socket, number, ctypes.byref(value), ctypes.sizeof(value))

    def send(self, parts):
        for index, part in enumerate(parts):
            more = self.SNDMORE if index + 1 < len(parts) else 0
            if self.zmq.zmq_send(self.socket, part, ctypes.c_size_t(len(part)), more) < 0:
                raise OSError(ctypes.get_errno(), "zmq_send")

    def receive(self):
        parts, more = [], True
        while more:
            message = ctypes.create_string_buffer(64)
            self.zmq.zmq_msg_init(message)
            if self.zmq.zmq_msg_recv(message, self.socket, 0) < 0:
                raise TimeoutError("no answer from the daemon")
            self.zmq.zmq_msg_data.restype = ctypes.c_void_p
            size = self.zmq.zmq_msg_size(message)
            parts.append(ctypes.string_at(self.zmq.zmq_msg_data(message), size))
            more = self.zmq.zmq_msg_more(message)
            self.zmq.zmq_msg_close(message)
        return parts

    def close(self):
        if self.socket:
            self.zmq.zmq_close(self.socket)
            self.zmq.zmq_ctx_term(self.context)
            self.socket = None


class Client:
    """One session. `call` is one operation and its result; `write` and `read` are frames as the schema has them."""

    def __init__(self, endpoint):
        self.schema = Schema(SCHEMA.read_text(encoding="utf-8"))
        self.endpoint = endpoint
        self.lifeline = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.lifeline.settimeout(20)
        self.lifeline.connect(endpoint.removeprefix("ipc://") + ".life")
        magic, self.version, self.session, self.incarnation = struct.unpack("=II16sQ", self.read_lifeline(32))
        assert magic == 0x6C696665, "greeting"
        self.op = self.mark = 0
        self.connect()

    def read_lifeline(self, size):
        data = b""
        while len(data) < size:
            more = self.lifeline.recv(size - len(data))
            if not more:
                break
            data += more
        return data

    def connect(self):
        self.dealer = Dealer(self.endpoint)
        self.number = 0

    def write(self, frame, parts=()):
        self.number += 1
        self.dealer.send([self.schema.encode("ClientFrame", {"number": self.number, **frame}), *parts])

    def read(self):
        """The next frame, with the bodies of its values put in."""
        head, *parts = self.dealer.receive()
        frame = self.schema.decode("ServerFrame", head)
        self.place(frame, parts)
        return frame

    def place(self, node, parts):
        if isinstance(node, list):
            for item in node:
                self.place(item, parts)
        elif isinstance(node, dict):
            if node.get("part"):
                node["body"] = parts[node["part"] - 1]
            for item in node.values():
                self.place(item, parts)

    def hello(self):
        boot_id = open("/proc/sys/kernel/random/boot_id", encoding="ascii").read().strip().encode()
        time_namespace = os.stat("/proc/self/ns/time").st_ino
        self.write({"version": 1, "hello": {"session": self.session, "program": b"foreign", "boot_id": boot_id,
                                            "time_namespace": time_namespace}})
        return self.read()

    def resume(self, open_ops):
        self.number = 0
        self.write({"version": 1, "ack_mark": self.mark,
                    "resume": {"session": self.session, "open_ops": open_ops}})
        return self.read()

    def request(self, verb, fields, **op):
        """An operation with the next id."""
        self.op += 1
        return {"id": self.op, verb: fields, **op}

    def result(self, op):
        """Reads until the result of an operation is there."""
        while True:
            for result in self.read().get("results", []):
                if result["op"] == op:
                    return result

    def call(self, verb, fields, parts=(), **op):
        request = self.request(verb, fields, **op)
        self.write({"ack_mark": self.mark, "requests": [request]}, parts)
        result = self.result(request["id"])
        self.mark = request["id"]
        return result

    def farewell(self):
        """(error, text) the daemon says before it closes the lifeline; None when it closes without."""
        data = self.read_lifeline(256)
        if len(data) < 256:
            return None
        magic, _, error, size = struct.unpack("=IIiI", data[:16])
        assert magic == 0x62796521, "farewell"
        return error, data[16:16 + size]

    def close(self):
        self.dealer.close()
        self.lifeline.close()
