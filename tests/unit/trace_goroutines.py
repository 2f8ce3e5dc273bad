"""A trace is Chrome's JSON: three creates, three ends, an arrow for each message, and every track without a gap.

usage: trace_goroutines.py SUBJECT
"""
import collections
import json
import subprocess
import sys

PASSED = 10  # messages
BEFORE = 2   # of those, were in the buffer before the trace began


def trace(*arguments):
    run = subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)["traceEvents"]


def check_marks(events):
    names = collections.Counter(event["name"] for event in events if event["ph"] == "i")
    assert names == {"create": 3, "end": 3}, names
    created = {event["args"]["goroutine"] for event in events if event["name"] == "create"}
    assert created == {event["tid"] for event in events if event["name"] == "end"}, events
    assert all(event["tid"] == 1 for event in events if event["name"] == "create")
    tracks = {event["tid"]: event["args"]["name"].split()[1] for event in events if event["name"] == "thread_name"}
    assert tracks[1] == "main" and sorted(tracks[g] for g in created) == ["first", "last", "middle"], tracks


def check_slices(events):
    """Each track is running, ready or blocked, one after the other; a block ends with an unblock."""
    by_track = collections.defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            by_track[event["tid"]].append(event)
    for track in by_track.values():
        track.sort(key=lambda event: event["ts"])
        for before, after in zip(track, track[1:]):
            assert abs(before["ts"] + before["dur"] - after["ts"]) < 0.01, (before, after)
            if before["name"].startswith("blocked"):
                assert after["name"] == "ready" and before["args"]["woken_by"] in by_track, (before, after)
        assert not any(event["name"].startswith("blocked") for event in track[-1:]), track
    names = {event["name"] for track in by_track.values() for event in track}
    assert names <= {"running", "ready", "blocked: chan send", "blocked: chan receive"}, names


def check_arrows(events, expected):
    sent = {event["id"]: event for event in events if event["ph"] == "s"}
    received = {event["id"]: event for event in events if event["ph"] == "f"}
    assert len(sent) == len(received) == expected and sent.keys() == received.keys(), (len(sent), expected)
    for number, event in sent.items():
        assert event["ts"] <= received[number]["ts"] and event["tid"] != received[number]["tid"], event


for what, count in ((), PASSED), (("buffered",), PASSED - BEFORE):
    recorded = trace(*what)
    check_marks(recorded)
    check_slices(recorded)
    check_arrows(recorded, count)
