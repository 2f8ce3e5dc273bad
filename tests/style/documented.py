"""Every public function has a comment directly above it, and every public function and program its manual page."""

import re
import shutil
import subprocess
import sys

import tree

PUBLIC = {"goroutine.h": "go_", "goroutine_patterns.h": "go_", "goroutine_sync.h": "go_", "goroutine_inspect.h": "go_",
          "goroutine_net.h": "go_", "goroutine_test.h": "go_", "goclient.h": "gc_", "goclient_chan.h": "gc_", "goclient_context.h": "gc_", "goclient_feed.h": "gc_", "goclient_inspect.h": "gc_", "goclient_job.h": "gc_", "goclient_key.h": "gc_", "goclient_pool.h": "gc_", "goclient_queue.h": "gc_", "goclient_schedule.h": "gc_", "goclient_worker.h": "gc_", "goclient_go.h": "gc_",
          "goclient_sync.h": "gc_", "goclient_topic.h": "gc_", "goclient_txn.h": "gc_", "goplugin.h": "gp_"}
PROGRAMS = ("goroutined", "goroutined-host", "goctl")
PROTOTYPE = re.compile(r"^[A-Za-z_][\w \t\*]*?\b(?P<name>g[ocp]_\w+)\s*\((?!\s*\*)", re.M)


def public_headers():
    return [path for path in tree.files(".h") if path.name in PUBLIC]


def without_bodies(text):
    """The header with directives, types and inline functions replaced by lines of `~`."""
    def blank(hit):
        return "\n".join("~" for _ in hit[0].split("\n"))
    text = re.sub(r"^#(?:[^\n\\]|\\.|\\\n)*", blank, text, flags=re.M)
    text = re.sub(r"^static inline\b.*?^\}", blank, text, flags=re.M | re.S)
    return re.sub(r"^(?:typedef|struct|enum|union)\b[^;{()]*(?:\{.*?^\})?[^;()]*;", blank, text, flags=re.M | re.S)


def functions(path):
    """(name, index of its line) of each function declared in a header, and the lines."""
    text = without_bodies(tree.read(path))
    found = [(hit["name"], text.count("\n", 0, hit.start())) for hit in PROTOTYPE.finditer(text)
             if hit["name"].startswith(PUBLIC[path.name])]
    return found, text.split("\n")


def uncommented(path):
    """A function with no comment above it or behind it. Functions that follow each other without a blank line share
    one; types and macros may stand between a comment and its function."""
    covered = set()
    found, lines = functions(path)
    for name, index in found:
        end = next(i for i in range(index, len(lines)) if ";" in lines[i] or i == len(lines) - 1)
        above = index - 1
        while above > 0 and lines[above] == "~":
            above -= 1
        if lines[above].rstrip().endswith("*/") or above in covered or "/*" in lines[end]:
            covered.update(range(index, end + 1))
        else:
            yield f"{path}:{index + 1}: {name} has no comment above it"


def manuals():
    """Text of all manual pages by name, as mandoc or man sources."""
    return {path: tree.read(path) for path in tree.files() if re.fullmatch(r"\.[1-8]", path.suffix)}


def unmanualled(paths):
    pages = manuals()
    text = "\n".join(pages.values())
    words = set(re.findall(r"\w[\w-]*\w", text.replace("\\-", "-")))
    for path in paths:
        for name, index in functions(path)[0]:
            if name not in words:
                yield f"{path}:{index + 1}: {name} is in no manual page"
    known = {name for path in tree.files(".h") for name in re.findall(r"\bg[ocp]_\w+", tree.read(path))}
    yield from (f"{page}: {name} is in no header" for page, source in pages.items()
                for name in sorted(set(re.findall(r"\bFn (g[ocp]_\w+)", source)) - known))
    stems = {page.stem for page in pages}
    for program in PROGRAMS:
        if program not in stems:
            yield f"{program} has no manual page"


def lint():
    """What mandoc finds wrong; matters of taste are not looked at."""
    if not shutil.which("mandoc"):
        print("mandoc is not installed")
        sys.exit(77)
    pages = [str(tree.ROOT / page) for page in manuals()]
    run = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True, text=True)
    return [line.removeprefix("mandoc: ") for line in (run.stdout + run.stderr).splitlines() if "mandoc.db" not in line]


CHECKS = {
    "comments": lambda: (finding for path in public_headers() for finding in uncommented(path)),
    "manuals": lambda: [*unmanualled(public_headers()), *lint()],
}


def main():
    check = sys.argv[1]
    tree.report(list(CHECKS[check]()), check)


main()
