"""purity.py ARCHIVE...: the core calls nothing that could give it time, I/O, threads or chance.

Every symbol that the archives need is defined in one of them, or is one of the functions below, which depend on their
arguments alone (and abort, and memory)."""

import re
import subprocess
import sys

import tree

ALLOWED = {"abort", "bsearch", "calloc", "free", "malloc", "memchr", "memcmp", "memcpy", "memmove", "memset", "qsort",
           "realloc", "snprintf", "strchr", "strcmp", "strerror", "strlen", "strncmp", "strnlen",
           "vsnprintf", "__assert_fail",
           "_GLOBAL_OFFSET_TABLE_"}
# What compilers and sanitizers put in by themselves.
TOOLS = re.compile(r"^__(asan|ubsan|tsan|sanitizer|lsan|gcov|stack_chk|start_|stop_|aarch64_)|_chk$|^_?_Unwind_|"
                   r"^__gcc_personality|^_ITM_|^bcmp$") # clang makes bcmp of some calls of memcmp


def symbols(archive):
    """(needed, defined) names of an archive of objects."""
    out = subprocess.run(["nm", "-P", archive], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in out.splitlines() if len(line.split()) >= 2]
    return {row[0] for row in rows if row[1] == "U"}, {row[0] for row in rows if row[1] not in "Uw"}


def main():
    tables = [symbols(archive) for archive in sys.argv[1:]]
    needed = set().union(*(table[0] for table in tables)) - set().union(*(table[1] for table in tables))
    impure = sorted(name for name in needed if name not in ALLOWED and not TOOLS.search(name))
    tree.report([f"daemon/core needs {name}, which is not a function of its arguments" for name in impure],
                f"purity of the core: {len(needed)} symbols from outside")


main()
