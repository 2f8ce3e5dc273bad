"""tests/guide/ROWS.md has every row once, and the tests it names exist."""

import re

import tree

ROW = re.compile(r"^\| ([GP]\d+) \| .* \| ([RIC ]+) \| ([^|]+) \|$", re.M)
EXPECTED = [f"G{number:02}" for number in range(1, 180)] + [f"P{number}" for number in range(1, 9)]


def main():
    rows = ROW.findall(tree.read("tests/guide/ROWS.md"))
    findings = []
    if [row[0] for row in rows] != EXPECTED:
        findings.append(f"tests/guide/ROWS.md: rows are not {EXPECTED[0]} to {EXPECTED[-1]}, once each, in order")
    for name, _, status in rows:
        for path in re.findall(r"`?(tests/[\w./-]+)`?", status):
            if not (tree.ROOT / path).exists():
                findings.append(f"tests/guide/ROWS.md: {name}: {path} does not exist")
        if status.strip() != "later" and "tests/" not in status:
            findings.append(f"tests/guide/ROWS.md: {name}: names neither a file below tests/ nor `later`")
    covered = sum(row[2].strip() != "later" for row in rows)
    print(f"{covered} of {len(rows)} rows covered")
    tree.report(findings, "rows of ROWS.md")


main()
