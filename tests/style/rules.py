"""Every rule that a test or comment cites exists in proto/SEMANTICS.md."""

import re

import tree

DEFINED = re.compile(r"^(?:- \*\*|#+ )([A-Z]{1,2}\d+(?:\.\d+)?)\b", re.M)
# A rule in the name of a test (test_U2_…, test_IP2_2_…), and part B's rules wherever they stand.
IN_NAME = re.compile(r"\btest_([A-Z]{1,2}\d+(?:_\d+)?)_")
IN_TEXT = re.compile(r"\b(IP\d+(?:\.\d+)?)\b")


def main():
    defined = set(DEFINED.findall(tree.read("proto/SEMANTICS.md")))
    findings = []
    for path in tree.files(".c", ".h", ".md", ".py", ".proto"):
        for number, line in enumerate(tree.read(path).splitlines(), 1):
            cited = {name.replace("_", ".") for name in IN_NAME.findall(line)} | set(IN_TEXT.findall(line))
            findings += [f"{path}:{number}: no rule {name} in proto/SEMANTICS.md" for name in sorted(cited - defined)]
    tree.report(findings, f"citations of {len(defined)} rules")


main()
