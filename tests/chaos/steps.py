"""Every verb has a row in steps.txt for every step and every fault, or says why not; so has every other part of a frame
that asks for something, for the step `request`.

A verb that parks has the step `parked`; the others have all steps but that one. Rows of one verb count together.
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "style"))
import tree

TABLE = "tests/chaos/steps.txt"
VERB = re.compile(r"^\s*VERB\((\w+), (\w+), (\d+), ([^,]+), ", re.M)
NAMES = re.compile(r"^\s*(STEP|FAULT|PART)\((\w+), (\w+)\)", re.M)


def verbs():
    """Verb -> whether it parks."""
    return {name: "VERB_PARKS" in flags for _, name, _, flags in VERB.findall(tree.read("proto/verbs.h"))}


def rows():
    for number, line in enumerate(tree.read(TABLE).splitlines(), 1):
        words = line.split(None, 3)
        if words and not words[0].startswith("#"):
            yield number, words


def unknown(where, what, names, known):
    return [f"{where}: no {what} `{name}`" for name in names if name not in known]


def read(steps, faults, known):
    """Cells {(verb, step, fault)}, reasons {verb or (verb, step)}, findings."""
    cells, reasons, findings = set(), set(), []
    for number, words in rows():
        where, verb = f"{TABLE}:{number}", words[0]
        findings += unknown(where, "verb", [verb], known)
        if len(words) < 3:
            findings.append(f"{where}: a row has a scene, steps and faults, or `-` and a reason")
        elif words[1] == "-":
            reasons.add(verb)
        elif len(words) < 4:
            findings.append(f"{where}: faults, or a reason, are missing")
        elif words[2] == "-":
            findings += unknown(where, "step", [words[1]], steps)
            reasons.add((verb, words[1]))
        else:
            mine, theirs = words[2].split(","), words[3].split(",")
            findings += unknown(where, "step", mine, steps) + unknown(where, "fault", theirs, faults)
            cells.update((verb, step, fault) for step in mine for fault in theirs)
    return cells, reasons, findings


def holes(known, parts, steps, faults, cells, reasons):
    for verb, parks in known.items():
        there = {cell[0] for cell in cells}
        if verb in reasons:
            if verb in there:
                yield f"{TABLE}: {verb} has rows, and a reason to have none"
            continue
        for step in steps:
            if (verb, step) in reasons or step == "parked" and not parks or verb in parts and step != "request":
                continue
            missing = [fault for fault in faults if (verb, step, fault) not in cells]
            if missing:
                yield f"{TABLE}: {verb}: nothing is done at {step}: {', '.join(missing)}; add a row, or say why not"


def main():
    names = NAMES.findall(tree.read("tests/chaos/rule.h"))
    steps = [name for kind, _, name in names if kind == "STEP"]
    faults = [name for kind, _, name in names if kind == "FAULT"]
    parts = {name: False for kind, _, name in names if kind == "PART"}
    known = verbs() | parts
    cells, reasons, findings = read(steps, faults, known)
    findings += holes(known, parts, steps, faults, cells, reasons)
    tree.report(findings, f"{len(cells)} faults at steps of {len(known)} verbs")


main()
