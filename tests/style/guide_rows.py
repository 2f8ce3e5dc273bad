"""tests/guide/ROWS.md has every row once, the tests it names exist, and the program of a row quotes what it must show.

A clause of "must be observed" stands verbatim, in double quotes, in a comment of the row's program, or the text of its
script, beside its check.
Clauses are separated by `;`. One that begins with `I:`, `C:` or `I C:` concerns those forms alone. A row whose last
column names no program for form R is not done yet: it is only counted. No example sleeps to wait for a goroutine.
"""

import re

import tree

ROWS = "tests/guide/ROWS.md"
ROW = re.compile(r"^\| ([GP]\d+) \| ([^|]+) \| ([^|]+) \| ([RIC ]+) \| ([^|]+) \|$", re.M)
EXPECTED = [f"G{number:02}" for number in range(1, 180)] + [f"P{number}" for number in range(1, 9)]
PROGRAM = re.compile(r"`(tests/guide/g(\d{3})_\w+\.c)` \(R\)")
SCRIPT = re.compile(r"`(tests/guide/\w+\.(?:py|sh))` \(R[ IC]*\)")
ANY_PROGRAM = re.compile(r"tests/guide/g\d{3}_\w+\.c$")
OTHER_FORM = re.compile(r"^(I|C|I C): ")
# Waiting for a goroutine by sleeping is what the examples teach not to do. Sleep itself is shown on the fake clock.
SLEEP = re.compile(r"\b(u?sleep|nanosleep)\(|\bgo_sleep\(")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def comments(path):
    """All comments of a file, each on one line without its frame."""
    return [" ".join(re.sub(r"^\s*(/\*+|\*/|\*(?!/)|//)|\*/$", " ", hit, flags=re.M).split())
            for hit in COMMENT.findall(tree.read(path))]


def unquoted(name, must, path):
    said = comments(path) if path.endswith(".c") else [" ".join(tree.read(path).split())]
    for clause in (clause.strip() for clause in must.split(";")):
        if not OTHER_FORM.match(clause) and not any(f'"{clause}"' in comment for comment in said):
            yield f"{path}: no comment quotes this clause of {name}: \"{clause}\""


def row_findings(name, must, status):
    for path in re.findall(r"`(tests/[\w./-]+)`", status):
        if not (tree.ROOT / path).exists():
            yield f"{ROWS}: {name}: {path} does not exist"
            return
    if status.strip() != "later" and "tests/" not in status:
        yield f"{ROWS}: {name}: names neither a file below tests/ nor `later`"
    for path, number in PROGRAM.findall(status):
        if name != f"G{int(number):02}":
            yield f"{ROWS}: {name}: {path} carries another number"
        yield from unquoted(name, must, path)
    for path in SCRIPT.findall(status) if name.startswith("G") else ():
        yield from unquoted(name, must, path)


def sleeping(paths):
    for path in paths:
        text = tree.read(path)
        if SLEEP.search(text) and "on_fake_clock" not in text:
            yield f"{path}: sleeps, and not on the fake clock: wait for what you wait for"


def main():
    rows = ROW.findall(tree.read(ROWS))
    findings = []
    if [row[0] for row in rows] != EXPECTED:
        findings.append(f"{ROWS}: rows are not {EXPECTED[0]} to {EXPECTED[-1]}, once each, in order")
    for name, _, must, _, status in rows:
        findings += row_findings(name, must, status)
    named = {path for row in rows for path, _ in PROGRAM.findall(row[4])}
    there = {str(path) for path in tree.files(".c") if ANY_PROGRAM.match(str(path))}
    findings += [f"{path}: {ROWS} does not name it: it is not built" for path in sorted(there - named)]
    findings += sleeping(sorted(there) + [path for path in tree.files(".c") if str(path).startswith("client/examples/")])
    covered = sum(row[4].strip() != "later" for row in rows)
    print(f"{covered} of {len(rows)} rows covered, {len(named)} of 179 as programs")
    tree.report(findings, "rows of ROWS.md")


main()
