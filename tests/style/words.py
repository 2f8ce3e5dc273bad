"""Words that have no place in this tree: notes of unfinished work, and paths of one machine."""

import pathlib
import re

import tree

UNFINISHED = r"\b(TODO|FIXME|XXX|HACK|TBD)\b|\bnot (yet )?implemented\b|\bunimplemented\b"
ELSEWHERE = r"(?<![\w.-])/(work|home|root)/|\bissues? *#?\d"
WRONG = re.compile(f"{UNFINISHED}|{ELSEWHERE}")
MYSELF = pathlib.Path("tests/style/words.py")


def main():
    findings = []
    for path in tree.files():
        if path == MYSELF or path.name == "LICENSE" or str(path).startswith("tests/fuzz/corpus/"):
            continue
        try:
            text = tree.read(path)
        except UnicodeDecodeError:
            findings.append(f"{path}: not UTF-8 text")
            continue
        findings += [f"{path}:{number}: '{hit[0]}'" for number, line in enumerate(text.splitlines(), 1)
                     if (hit := WRONG.search(line))]
    tree.report(findings, "words")


main()
