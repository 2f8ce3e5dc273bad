"""No function over 70 lines, no file over 600; prints the figures of the tree besides."""

import collections
import json
import shutil
import statistics
import subprocess
import sys

import tree

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600


def functions(paths):
    """(path, name, lines) of every function: from the line of its name to its closing brace."""
    out = subprocess.run(["ctags", "--output-format=json", "--languages=C", "--langmap=C:.c.h", "--kinds-C=f",
                          "--fields=+ne", "-I", "TEST+", "-f", "-", *map(str, paths)],
                         cwd=tree.ROOT, check=True, capture_output=True, text=True).stdout
    tags = [json.loads(line) for line in out.splitlines()]
    return [(tag["path"], tag["name"], tag.get("end", tag["line"]) - tag["line"] + 1) for tag in tags]


def figures(found, lengths):
    """Prints function length (median, p90, max) and lines of code by top folder, tests apart."""
    for name, wanted in (("product", False), ("tests", True)):
        mine = [lines for path, _, lines in found if path.startswith("tests/") == wanted]
        total = sum(lines for path, lines in lengths.items() if str(path).startswith("tests/") == wanted)
        if len(mine) > 1:
            cuts = statistics.quantiles(mine, n=10)
            print(f"{name}: {total} lines, {len(mine)} functions, length median {statistics.median(mine):.0f}, "
                  f"p90 {cuts[8]:.0f}, max {max(mine)}")


def main():
    if not shutil.which("ctags"):
        print("universal-ctags is not installed")
        sys.exit(77)
    paths = tree.files(".c", ".h")
    lengths = collections.OrderedDict((path, tree.read(path).count("\n")) for path in paths)
    found = functions(paths)
    figures(found, lengths)
    wrong = [f"{path}: {name} has {lines} lines (at most {FUNCTION_LINES_MAX})" for path, name, lines in found
             if lines > FUNCTION_LINES_MAX]
    wrong += [f"{path}: {lines} lines (at most {FILE_LINES_MAX})" for path, lines in lengths.items()
              if lines > FILE_LINES_MAX]
    tree.report(wrong, "figures")


main()
