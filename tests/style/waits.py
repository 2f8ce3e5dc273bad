"""Every public function that can wait says how long: `until` is its last argument. And every example lets go of the
contexts it makes.

A function waits if its name says so. The few that may wait without an until are listed below with what ends their wait.
"""

import re

import tree

HEADER = re.compile(r"^go(routine|client)\w*\.h$")
DECLARED = re.compile(r"\bG[OC]_API\s+[^;{]*?\b(g[oc]_\w+)\(([^;{]*)\)(?:\s*__attribute__\(\(.*?\)\))?;")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
WAITING = re.compile(r"(^|_)(wait|recv|send|many|acquire|take|sleep|select|submit|result|publish|accept|connect|dial|read|write|"
                     r"lock|rlock|get|park|range|ping)$")

# What ends their wait.
WITHOUT = {
    "go_bubble_wait": "the bubble",
    "go_cond_wait": "a signal",
    "go_errgroup_wait": "its members",
    "go_mutex_lock": "the holder", "go_rwmutex_lock": "the holders", "go_rwmutex_rlock": "the holder",
    "go_once_value_get": "the one call",
    "go_scope_wait": "its children",
    "go_waitgroup_wait": "its goroutines",
    "gc_connect": "the times of its options", "gc_go_connect": "the times of its options",
    "go_chan_must_send": "a receiver, or the scope of the goroutine",
}
# Named like them, and never waiting for anybody.
AT_ONCE = {"go_cache_get", "go_crash_read", "go_health_read", "go_map_range", "go_mutex_trylock", "go_pool_get", "go_ring_send",
           "go_rwmutex_tryrlock", "go_rwmutex_trylock", "go_stats_read", "go_workers_stats_read", "go_memory_read",
           "go_cpu_profile_write", "go_alloc_profile_write", "go_leaks_write", "gc_txn_publish", "gc_txn_send", "gc_txn_submit"}
# These make something of an until.
MAKES_CONTEXT = {"go_ctx_with_deadline", "go_ctx_with_deadline_cause"}

EXAMPLE = re.compile(r"tests/guide/g\d{3}_\w+\.c$|client/examples/")
MAKES = re.compile(r"\bgo_ctx_(?:new|with_\w+|without_cancel)\(|\bgo_errgroup_ctx\(")
RELEASES = re.compile(r"\bgo_ctx_unref\(")


def declared(path):
    return [(name, [argument.strip() for argument in arguments.split(",")])
            for name, arguments in DECLARED.findall(COMMENT.sub(" ", tree.read(path)))]


def endless(path):
    for name, arguments in declared(path):
        has = [bool(re.match(r"g[oc]_until\b", argument)) for argument in arguments]
        if name in MAKES_CONTEXT:
            continue
        if any(has[:-1]) or sum(has) > 1:
            yield f"{path}: {name}: `until` is the last argument"
        if WAITING.search(name) and not any(has) and name not in WITHOUT and name not in AT_ONCE:
            yield f"{path}: {name} waits, and takes no `until`"
        if any(has) and name in {*WITHOUT, *AT_ONCE}:
            yield f"{path}: {name} takes an `until`: it needs no exception here"


def kept(path):
    made, released = len(MAKES.findall(tree.read(path))), len(RELEASES.findall(tree.read(path)))
    if made > released:
        yield f"{path}: makes contexts in {made} places and lets go of them in {released}"


def main():
    headers = [path for path in tree.files(".h") if HEADER.match(path.name)]
    examples = [path for path in tree.files(".c") if EXAMPLE.match(str(path))]
    names = {name for path in headers for name, _ in declared(path)}
    findings = [finding for path in headers for finding in endless(path)]
    findings += [finding for path in examples for finding in kept(path)]
    findings += [f"no function {name}, of which waits.py knows" for name in sorted(set(WITHOUT) - names)]
    tree.report(findings, f"waits of {len(names)} functions")


main()
