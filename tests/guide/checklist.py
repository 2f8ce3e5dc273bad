#!/usr/bin/env python3
"""G173 The design checklist: nine points, each checked over all example programs, and each shown to find a mistake.

usage: checklist.py BUILD FOLDER COMPILER...       (where they were built; the headers of the runtime)

A program is run once, with 2 processors or the one that its row is about (a thread that was once there stays), at most
GOROUTINES_MAX goroutines, and the counters of the runtime at its end. Where a sanitizer has made everything slow and large
(--sanitized) the texts alone are looked at.
"""

import collections
import concurrent.futures
import functools
import json
import os
import pathlib
import re
import resource
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
GOROUTINES_MAX, RESIDENT_KIB_MAX, DESCRIPTORS_MAX = 2000, 64 << 10, 512
# What they show is a large number.
MANY = {"G146", "G157", "G160"}
LEFT_OUT_OF_RACE_MAX = 8

Example = collections.namedtuple("Example", "name text")  # comments are part of the text
Run = collections.namedtuple("Run", "status resident_kib counters")

FUNCTION = re.compile(r"^[a-z][^;{}]*?\b(\w+)\([^;{}]*\)\n\{\n(.*?)^\}", re.M | re.S)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
ENTRY = re.compile(r"^GUIDE_(?:ROW|PART)\((.*?)\);$", re.M | re.S)


def code(example):
    return COMMENT.sub(" ", example.text)


def row(example):
    return re.sub(r"^g0?(\d+)_.*", r"G\1", example.name)


# ---- the points: each yields what it finds wrong ----

def lifecycle(example, run):
    """"1 every example ends with main alone, nobody waiting, as many ended as were started"."""
    c = run.counters
    if run.status != 0:
        yield f"status {run.status}"
    if c and (c["goroutines"], c["parked"], c["spawned"] - c["ended"]) != (1, 0, 1):
        yield f"{c['goroutines']} goroutines, {c['parked']} wait, {c['spawned']} started, {c['ended']} ended"


# They show what a channel says to whoever closes it, or reads it afterwards, in one goroutine.
BOTH_ENDS = {"G19", "G28", "G30", "G107", "G177"}


def sender_closes(example, run):
    """"2 whoever receives from a channel does not close it"."""
    for function, body in FUNCTION.findall(code(example)):
        closed = set(re.findall(r"\bgo_chan_close\(([^()]+)\)", body))
        received = set(re.findall(r"\b(?:go_range|go_chan_recv(?:_many)?|GO_RECV)\(([^,()]+)", body))
        if closed & received and row(example) not in BOTH_ENDS:
            yield f"{function} receives from {', '.join(closed & received)} and closes it"


def context(example, run):
    """"3 whoever makes a context lets go of it, and none lies about for all: it is handed on"."""
    text = code(example)
    made = len(re.findall(r"\bgo_ctx_(?:new|with_\w+|without_cancel)\(|\bgo_errgroup_ctx\(", text))
    if made and not re.search(r"\bgo_ctx_unref\(", text):
        yield f"{made} contexts are made, none is let go of"
    if re.search(r"^(?:static )?go_ctx \*\w+(?: = [^;(]*)?;", text, re.M):
        yield "a context is a global variable"


def limits(example, run):
    """"4 none needs more than 2,000 goroutines, 64 MiB and 512 descriptors, unless a large number is what it shows"."""
    if run.status != 0:
        yield f"status {run.status} under the limits"
    if run.resident_kib > RESIDENT_KIB_MAX and row(example) not in MANY:
        yield f"{run.resident_kib} KiB resident"


MUST_LOOK = ("go_spawn", "go_spawn_with", "go_waitgroup_go", "go_errgroup_go", "go_errgroup_wait", "go_scope_spawn",
             "go_scope_run", "go_workers_submit", "go_resources_get", "go_semaphore_acquire", "go_limiter_take", "go_bubble")


def errors(example, run, compiler=()):
    """"5 no start and no refusal goes unseen: their results are used, or the compiler says so"."""
    seen = "".join(f"extern __typeof__({name}) {name} __attribute__((warn_unused_result));\n" for name in MUST_LOOK)
    source = f'#include "goroutine_patterns.h"\n#undef go_spawn\n{seen}#line 1 "{example.name}"\n{example.text}'
    done = subprocess.run([*compiler, "-x", "c", "-std=gnu17", "-D_GNU_SOURCE", "-Werror=unused-result", "-S", "-o", os.devnull, "-"],
                          input=source, capture_output=True, text=True)
    if done.returncode != 0:
        yield done.stderr.strip()


FOREIGN = re.compile(r"\b(pthread_(?:mutex|rwlock|cond|spin|barrier)\w*|sem_(?:wait|post)|mtx_\w+|cnd_\w+|"
                     r"__sync_\w+|__atomic_\w+)\b")


def synchronization(example, run):
    """"6 what is shared is kept by channels, locks and atomics of the runtime: none that would stop a whole thread"."""
    for name in sorted(set(FOREIGN.findall(code(example)))):
        yield f"{name} is no means of goroutines"


def race_build(example, run, tests=None):
    """"7 each is a test of the race build, or its declaration says why not: 8 at most"."""
    if tests is not None and tests.get(f"guide-{example.name}") is None:
        yield "no test runs it"
    elif tests is not None and "runtime" not in tests[f"guide-{example.name}"]:
        yield "its test is not in the suite that the race build runs"
    if re.search(r'\.no_race = ""', example.text):
        yield "it is left out of the race build without a reason"


def monitoring(example, run):
    """"8 what a monitor would read of it can be read: goroutines, waits, memory, and none of it is kept"."""
    c = run.counters
    if not c:
        yield "it has told no counters"
    elif not 0 < c["memory"]["in_use"] <= c["memory"]["from_system"] or c["switches"] < 1:
        yield f"counters that cannot be: {c}"
    elif c["allocations"]["user"] != c["allocations"]["user_freed"]:
        yield f"memory is kept: {c['allocations']}"


def documentation(example, run):
    """"9 its head says what it shows and names its pattern"."""
    head = re.match(r"/\*\n \* (G\d+) (.*?)\*/", example.text, re.S)
    if not head or head[1] != row(example):
        yield "its head does not begin with its number"
    elif not re.search(r"^ \* Pattern: \w", head[2], re.M):
        yield "its head names no pattern"


POINTS = (lifecycle, sender_closes, context, limits, errors, synchronization, race_build, monitoring, documentation)

# ---- "each of the nine finds a planted mistake" ----

GOOD_COUNTERS = {"goroutines": 1, "parked": 0, "spawned": 5, "ended": 4, "switches": 9,
                 "memory": {"in_use": 1, "from_system": 2}, "allocations": {"user": 3, "user_freed": 3}}
GOOD = Example("g001_planted", """/*
 * G01 Shows a planted mistake.
 *
 * Pattern: example.
 */
#include "guide.h"

static void work(void *c)
{
    must(go_chan_close(c) == 0);
}

static void planted(void)
{
    go_chan *c = go_chan_new(0, 0);
    go_ctx *ctx = go_ctx_new(go_ctx_background());

    must(go_spawn(work, c, 0) == 0);
    must(go_chan_recv(c, NULL, go_with(ctx)) == 0);
    go_ctx_unref(ctx);
    go_chan_unref(c);
}

GUIDE_ROW(G01, planted);
""")
GOOD_RUN = Run(0, 9000, GOOD_COUNTERS)
# In the order of the points: text to be replaced and by what, or what is different about the run.
PLANTED = (
    {"goroutines": 2, "parked": 1},
    ("    go_chan_unref(c);\n", "    go_chan_close(c);\n    go_chan_unref(c);\n"),
    ("    go_ctx_unref(ctx);\n", ""),
    1 << 20,
    ("must(go_spawn(work, c, 0) == 0)", "go_spawn(work, c, 0)"),
    ("    go_chan *c =", "    pthread_mutex_lock(&lock);\n    go_chan *c ="),
    ("GUIDE_ROW(G01, planted)", 'GUIDE_ROW(G01, planted, .no_race = "")'),
    {"allocations": {"user": 3, "user_freed": 2}},
    (" * Pattern: example.\n", ""),
)


def plant(mistake):
    if isinstance(mistake, tuple):
        assert mistake[0] in GOOD.text, mistake
        return GOOD._replace(text=GOOD.text.replace(*mistake)), GOOD_RUN
    if isinstance(mistake, int):
        return GOOD, GOOD_RUN._replace(resident_kib=mistake)
    return GOOD, GOOD_RUN._replace(counters={**GOOD_COUNTERS, **mistake})


def blind(points):
    """Points that accept their mistake, or refuse what is in order."""
    for point, mistake in zip(points, PLANTED, strict=True):
        if found := list(point(GOOD, GOOD_RUN)):
            yield f"{point.__doc__} refuses what is in order: {found}"
        if not list(point(*plant(mistake))):
            yield f"{point.__doc__} accepts: {mistake}"


# ---- the examples ----

def run_of(example, build):
    """Runs it within the limits."""
    many = row(example) in MANY
    procs = "1" if ".procs = {1}" in example.text else "2"
    command = [f"{build}/tests/guide/guide_{example.name}", "--procs", procs, "--counters",
               "--most", "2000000" if many else str(GOROUTINES_MAX)]
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS_MAX, DESCRIPTORS_MAX))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=few) as child:
        out = child.stdout.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    counters = next((json.loads(line) for line in out.splitlines() if line.startswith('{"goroutines"')), None)
    return Run(child.returncode, usage.ru_maxrss, counters)


def findings(example, points, build, runs):
    # A million goroutines have a test of their own; their program ends in the same function as the others.
    run = run_of(example, build) if runs and row(example) != "G160" else GOOD_RUN
    return [f"{example.name}: {point.__doc__}: {found}" for point in points for found in point(example, run)]


def tests_of(build):
    listed = json.loads((pathlib.Path(build) / "meson-info/intro-tests.json").read_text())
    return {test["name"]: [suite.split(":")[-1] for suite in test["suite"]] for test in listed}


def main():
    runs = "--sanitized" not in sys.argv
    build, folder, *compiler = [argument for argument in sys.argv[1:] if argument != "--sanitized"]
    tests = tests_of(build)
    compile_with = functools.partial(errors, compiler=[*compiler, f"-I{folder}", f"-I{HERE}"])
    race = functools.partial(race_build, tests=tests)
    race.__doc__, compile_with.__doc__ = race_build.__doc__, errors.__doc__
    points = [{errors: compile_with, race_build: race}.get(point, point) for point in POINTS]
    tests["guide-" + GOOD.name] = ["runtime"]
    examples = [Example(path.stem, path.read_text()) for path in sorted(HERE.glob("g[0-9]*.c"))
                if (pathlib.Path(build) / f"tests/guide/guide_{path.stem}").exists()]
    found = list(blind(points))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for some in pool.map(lambda example: findings(example, points, build, runs), examples):
            found += some
    left_out = [example.name for example in examples
                if any(".no_race" in entry for entry in ENTRY.findall(example.text))]
    if len(left_out) > LEFT_OUT_OF_RACE_MAX:
        found.append(f"{race_build.__doc__}: {len(left_out)} are left out: {left_out}")
    if len(examples) < 150:
        found.append(f"only {len(examples)} examples are built")
    print("\n".join(found) or f"{len(examples)} examples, {len(points)} points: in order")
    sys.exit(1 if found else 0)


main()
