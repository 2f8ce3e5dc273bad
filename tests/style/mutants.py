"""Every rule of one process has a test of the runtime that names it and a mutant that this test must notice."""

import re
import tomllib

import tree

# Rules of part A of proto/SEMANTICS.md. What a rule says of processes is tested with the daemon.
RULE = re.compile(r"^- \*\*([A-Z]{1,2}\d+)\*\*", re.M)
NAMED = re.compile(r"\btest_([A-Z]{1,2}\d+)_")


def tests():
    """Rules named by a test that runs in one process."""
    named = set()
    for path in tree.files(".c"):
        if str(path).startswith(("tests/unit/test_rt_", "tests/conformance/")):
            named |= set(NAMED.findall(tree.read(path)))
    return named


def main():
    rules = [rule for rule in RULE.findall(tree.read("proto/SEMANTICS.md")) if not rule.startswith("IP")]
    named, broken, findings = tests(), set(), []
    for path in tree.files(".toml"):
        table = tomllib.loads(tree.read(path))
        for mutant in table.get("mutant", []):
            broken.add(mutant["rule"])
            old = mutant["from"]
            for text in [old] if isinstance(old, str) else old:
                times = tree.read(mutant["file"]).count(text)
                if times != 1:
                    findings.append(f"{path}: {mutant['rule']} ({mutant['why']}): a text occurs {times} times")
        broken |= {exempt["rule"] for exempt in table.get("without", [])}
    findings += [f"{rule}: no test of the runtime is named test_{rule}_…" for rule in rules if rule not in named]
    findings += [f"{rule}: no mutant in tests/mutants" for rule in rules if rule not in broken]
    tree.report(findings, f"{len(rules)} rules, their tests and mutants")


main()
