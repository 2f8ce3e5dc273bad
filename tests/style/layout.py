"""Where things lie, and who may include what."""

import collections
import pathlib
import re

import tree

TOP = {"meson.build", "README.md", "LICENSE", "daemon", "client", "proto", "runtime", "tests", "deploy"}

# Folder -> the folders whose headers it may include. The longest matching prefix counts; order does not.
BASE = {"runtime/base"}
MAY_INCLUDE = {
    "proto": {"proto"},
    "runtime/base": BASE,
    "runtime": {"runtime"} | BASE,
    "daemon/core": {"daemon/core", "proto"} | BASE,
    "daemon/wire": {"daemon/wire", "proto"} | BASE,
    "daemon/store": {"daemon/store", "daemon/core", "proto"} | BASE,
    "daemon/host": {"daemon/host", "client", "runtime", "proto"} | BASE,
    "daemon": {"daemon", "daemon/core", "daemon/wire", "daemon/store", "proto"} | BASE,
    "client": {"client", "daemon/wire", "proto", "runtime"} | BASE,
    # `goctl cron next` computes what the daemon would: the pure schedules of the core, and the daemon's zones.
    "client/goctl": {"client/goctl", "client", "daemon/core", "daemon", "proto"} | BASE,
    "client/examples": {"client/examples", "client", "daemon/host", "runtime"},
}
# The core sees time, bytes and chance only as inputs: no header that could give it more.
CORE_SYSTEM = {"assert.h", "ctype.h", "errno.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h",
               "stddef.h", "stdint.h", "stdlib.h", "string.h", "uthash.h", "utlist.h", "xxhash.h"}
# Header -> programs (folders) that may include it, in one file each.
ONE_FILE = {
    "zmq.h": ("daemon", "client"),
    "sqlite3.h": ("daemon",),
}
PROTOBUF = re.compile(r"\.pb-c\.h$|^(google/)?protobuf")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def folder_of(path, known):
    """The entry of `known` that holds path: the longest prefix, or None."""
    parents = [str(parent) for parent in pathlib.Path(path).parents]
    return next((parent for parent in parents if parent in known), None)


def resolve(path, name, by_name):
    """The file of this tree that `#include "name"` in path means, or None when it is not ours."""
    beside = path.parent / name
    if beside in by_name[beside.name]:
        return beside
    hits = [hit for hit in by_name[pathlib.Path(name).name] if str(hit).endswith(name)]
    return hits[0] if len(hits) == 1 else None


def includes(paths):
    for path in paths:
        for style, name in INCLUDE.findall(tree.read(path)):
            yield path, style, name


def wrong_direction(paths):
    by_name = collections.defaultdict(list)
    for path in paths:
        by_name[path.name].append(path)
    for path, _, name in includes(paths):
        mine, target = folder_of(path, MAY_INCLUDE), resolve(path, name, by_name)
        theirs = target and folder_of(target, MAY_INCLUDE)
        if mine and theirs and theirs not in MAY_INCLUDE[mine]:
            yield f"{path}: includes {target}; {mine}/ may include only {', '.join(sorted(MAY_INCLUDE[mine]))}"


def impure_core(paths):
    core = [path for path in paths if str(path).startswith("daemon/core/")]
    for path, style, name in includes(core):
        if style == "<" and name not in CORE_SYSTEM:
            yield f"{path}: the core includes <{name}>; it may include only {', '.join(sorted(CORE_SYSTEM))}"


def scattered(paths):
    """Headers of libraries that stay behind one file."""
    users = collections.defaultdict(list)
    for path, _, name in includes(paths):
        if path.parts[0] == "tests":
            continue
        if name in ONE_FILE:
            users[name, path.parts[0]].append(str(path))
        if PROTOBUF.search(name) and not str(path).startswith("daemon/wire/"):
            yield f"{path}: includes {name}, which belongs to daemon/wire/ alone"
    for (name, program), found in sorted(users.items()):
        if program not in ONE_FILE[name]:
            yield f"{', '.join(found)}: {program}/ may not include {name}"
        elif len(found) > 1:
            yield f"{', '.join(found)}: {name} belongs in one file of {program}/"


def strangers(paths):
    for name in sorted({path.parts[0] for path in paths}):
        if name not in TOP and not name.startswith("."):
            yield f"{name}: does not belong at the top; {', '.join(sorted(TOP))} do"


def main():
    everything, code = tree.files(), tree.files(".c", ".h")
    findings = [*strangers(everything), *wrong_direction(code), *impure_core(code), *scattered(code)]
    tree.report(findings, f"layout of {len(everything)} files")


main()
