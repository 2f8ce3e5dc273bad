"""tests/guide/ROWS.md has every row once, the tests it names exist, and the program of a row quotes what it must show.

A clause of "must be observed" stands verbatim, in double quotes, in a comment of the row's programs, or the text of its
script, beside its check. Clauses are separated by `;`. One that begins with `R:`, `I:` or `I C:`, … concerns those forms
alone, one that begins with `program:` or `job:` form R; without that beginning it is quoted.

The last column names the tests, and behind each the forms that it covers. A row without a program for form R is not done
yet; one without a test for another of its forms lacks that form. Both are only counted, and told. A shell script that covers
form C names the row. No example sleeps to wait for a goroutine.
"""

import re

import tree

ROWS = "tests/guide/ROWS.md"
ROW = re.compile(r"^\| ([GP]\d+) \| ([^|]+) \| ([^|]+) \| ([RIC ]+) \| ([^|]+) \|$", re.M)
EXPECTED = [f"G{number:02}" for number in range(1, 180)] + [f"P{number}" for number in range(1, 9)]
TEST = re.compile(r"`(tests/[\w./-]+)`(?: \(([RIC ]+)\))?")
PROGRAM = re.compile(r"tests/guide/([gi])(\d{3})_\w+\.c$")
SCRIPT = re.compile(r"tests/guide/\w+\.(?:py|sh)$")
SHELL = re.compile(r"tests/e2e/goctl_guide_\w+\.sh$")
FORM_OF = {"g": "R", "i": "I"}
FORMS_OF_CLAUSE = re.compile(r"^([RIC](?: [RIC])*): ")
FORM_R_ALONE = re.compile(r"^(program|job): ")
# Waiting for a goroutine by sleeping is what the examples teach not to do. Sleep itself is shown on the fake clock.
SLEEP = re.compile(r"\b(u?sleep|nanosleep)\(|\bgo_sleep\(")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def comments(path):
    """All comments of a file, each on one line without its frame."""
    return [" ".join(re.sub(r"^\s*(/\*+|\*/|\*(?!/)|//)|\*/$", " ", hit, flags=re.M).split())
            for hit in COMMENT.findall(tree.read(path))]


def clauses(must, form):
    """Those that concern the form."""
    for clause in (clause.strip() for clause in must.split(";")):
        forms = FORMS_OF_CLAUSE.match(clause)
        if form in forms[1] if forms else form == "R" or not FORM_R_ALONE.match(clause):
            yield clause[forms.end():] if forms else clause


def unquoted(name, must, path, form):
    said = comments(path) if path.endswith(".c") else [" ".join(tree.read(path).split())]
    for clause in clauses(must, form):
        if not any(f'"{clause}"' in comment for comment in said):
            yield f"{path}: no comment quotes this clause of {name}: \"{clause}\""


def test_findings(name, must, path, forms):
    program = PROGRAM.match(path)
    if program and (name != f"G{int(program[2]):02}" or forms != FORM_OF[program[1]]):
        yield f"{ROWS}: {name}: {path} carries another number or form"
    if program or (SCRIPT.match(path) and "R" in forms and name.startswith("G")):
        yield from unquoted(name, must, path, FORM_OF[program[1]] if program else "R")
    if SHELL.match(path):
        yield from unquoted(name, must, path, "C")
    if path.startswith("tests/e2e/") and not re.search(rf"\b(test_)?{name}(_|\b)", tree.read(path)):
        yield f"{ROWS}: {path} does not name {name}"


def row_findings(name, must, status):
    if status.strip() != "later" and "tests/" not in status:
        yield f"{ROWS}: {name}: names neither a file below tests/ nor `later`"
    for path, forms in TEST.findall(status):
        if not (tree.ROOT / path).exists():
            yield f"{ROWS}: {name}: {path} does not exist"
        else:
            yield from test_findings(name, must, path, forms)


def tell_coverage(rows):
    for form in "RIC":
        wanted = [(name, status) for name, _, _, forms, status in rows if form in forms]
        lacking = [name for name, status in wanted if not any(form in forms for _, forms in TEST.findall(status))]
        print(f"form {form}: {len(wanted) - len(lacking)} of {len(wanted)}" + (", lacking " + " ".join(lacking) if lacking else ""))


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
    named = {path for row in rows for path, _ in TEST.findall(row[4]) if PROGRAM.match(path)}
    there = {str(path) for path in tree.files(".c") if PROGRAM.match(str(path))}
    findings += [f"{path}: {ROWS} does not name it: it is not built" for path in sorted(there - named)]
    findings += sleeping(sorted(there) + [path for path in tree.files(".c") if str(path).startswith("client/examples/")])
    tell_coverage(rows)
    tree.report(findings, "rows of ROWS.md")


main()
