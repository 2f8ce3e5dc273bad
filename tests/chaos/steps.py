"""The whole product of verbs, steps, faults and lanes has a row in steps.txt, or a reason for one step of one verb.

Verbs are those of proto/verbs.h, and the parts of a frame that rule.h names; a verb of named sync objects counts once for
each kind that has it. A verb that parks has the step `parked`; a part has `request` and `reply`; the others have all steps
but `parked`. No line excuses a whole verb. Rows of one verb count together. Every row runs on every lane of endpoint.h,
which tests/meson.build lists.
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "style"))
import tree

TABLE = "tests/chaos/steps.txt"
VERB = re.compile(r"^\s*VERB\((\w+), (\w+), (\d+), ([^,]+), ", re.M)
NAMES = re.compile(r"^\s*(STEP|FAULT|PART)\((\w+), (\w+)\)", re.M)
LANE = re.compile(r'^#define LANE_(?!VARIABLE)\w+\s+"(\w+)"', re.M)
KINDED = ("sync_take", "sync_give", "sync_add", "sync_wait", "sync_reset")
RULES = re.compile(r"^const struct sync_rules sync_(\w+) = \{(.*?)^\};", re.M | re.S)


def kinds(verb):
    """The kinds of named objects that know the verb, as their rules in the core say."""
    member = verb.removeprefix("sync_")
    for path in sorted((tree.ROOT / "daemon/core").glob("*.c")):
        for kind, body in RULES.findall(path.read_text(encoding="utf-8")):
            if f".{member} =" in body:
                yield kind


def verbs():
    """Verb, or verb and kind -> whether it parks."""
    for _, name, _, flags in VERB.findall(tree.read("proto/verbs.h")):
        parks = "VERB_PARKS" in flags
        if name in KINDED:
            for kind in kinds(name):
                yield f"{name}/{kind}", parks
        else:
            yield name, parks


def rows():
    for number, line in enumerate(tree.read(TABLE).splitlines(), 1):
        words = line.split(None, 3)
        if words and not words[0].startswith("#"):
            yield number, words


def unknown(where, what, names, known):
    return [f"{where}: no {what} `{name}`" for name in names if name not in known]


def key(words):
    """What a row is of: the scene of a verb with kinds begins with the kind."""
    return f"{words[0]}/{words[1].split('-')[0]}" if words[0] in KINDED else words[0]


def read(steps, faults, known):
    """Cells {(verb, step, fault)}, reasons {(verb, step)}, findings."""
    cells, reasons, findings = set(), set(), []
    for number, words in rows():
        where = f"{TABLE}:{number}"
        if len(words) < 4:
            findings.append(f"{where}: a row has a scene, steps and faults, or a step, `-` and a reason")
        elif words[2] == "-":
            findings += unknown(where, "verb", [words[0]], known) + unknown(where, "step", [words[1]], steps)
            reasons.add((words[0], words[1]))
        else:
            mine, theirs = words[2].split(","), words[3].split(",")
            findings += unknown(where, "verb", [key(words)], known)
            findings += unknown(where, "step", mine, steps) + unknown(where, "fault", theirs, faults)
            cells.update((key(words), step, fault) for step in mine for fault in theirs)
    return cells, reasons, findings


def wanted(steps, parts, parks, verb):
    if verb in parts:
        return ["request", "reply"]
    return [step for step in steps if parks or step != "parked"]


def holes(known, parts, steps, faults, cells, reasons):
    for verb, parks in known.items():
        for step in wanted(steps, parts, parks, verb):
            missing = [fault for fault in faults if (verb, step, fault) not in cells]
            if (verb, step) in reasons and len(missing) < len(faults):
                yield f"{TABLE}: {verb} has rows at {step}, and a reason to have none"
            elif missing and (verb, step) not in reasons:
                yield f"{TABLE}: {verb}: nothing is done at {step}: {', '.join(missing)}; add a row, or say why not"


def lanes():
    """Lanes, findings: each is run."""
    known = LANE.findall(tree.read("proto/endpoint.h"))
    run = re.findall(r"'GOROUTINED_LANE=(\w+)'", tree.read("tests/meson.build"))
    findings = [f"tests/meson.build: `lanes` lacks {lane}" for lane in known if lane not in run]
    if not re.search(r"foreach lane : lanes\n  test\('steps' \+ lane\[0\]", tree.read("tests/chaos/meson.build")):
        findings.append("tests/chaos/meson.build: `steps` runs on every lane")
    return known, findings


def main():
    names = NAMES.findall(tree.read("tests/chaos/rule.h"))
    steps = [name for kind, _, name in names if kind == "STEP"]
    faults = [name for kind, _, name in names if kind == "FAULT"]
    parts = {name: False for kind, _, name in names if kind == "PART"}
    known = dict(verbs()) | parts
    cells, reasons, findings = read(steps, faults, known)
    ways, lacking = lanes()
    findings += lacking
    findings += holes(known, parts, steps, faults, cells, reasons)
    tree.report(findings, f"{len(cells)} faults at steps of {len(known)} verbs on {len(ways)} lanes")


main()
