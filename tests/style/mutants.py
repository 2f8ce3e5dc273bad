"""Every rule of one process has a test of the runtime that names it and a mutant that this test must notice."""

import re
import tomllib

import tree

# Rules of part A of proto/SEMANTICS.md. What a rule says of processes is tested with the daemon.
RULE = re.compile(r"^- \*\*([A-Z]{1,2}\d+)\*\*", re.M)
NAMED = re.compile(r"\btest_([A-Z]{1,2}\d+)_")
CONFORMANCE = "tests/conformance/conformance_runtime"


def tests():
    """Rules named by the tests of each program that runs in one process."""
    named = {}
    for path in tree.files(".c"):
        name = str(path)
        if name.startswith(("tests/unit/test_rt_", "tests/conformance/")):
            program = CONFORMANCE if name.startswith("tests/conformance/") else name.removesuffix(".c")
            named.setdefault(program, set()).update(NAMED.findall(tree.read(path)))
    return named


def wrong(mutant, named):
    """What is wrong with the form of one mutant; whether it lives only a run can say."""
    old = mutant["from"]
    for text in [old] if isinstance(old, str) else old:
        times = tree.read(mutant["file"]).count(text)
        if times != 1:
            yield f"a text occurs {times} times in {mutant['file']}"
    if mutant["rule"] not in named.get(mutant["test"], ()):
        yield f"{mutant['test']} has no test named test_{mutant['rule']}_…"


def main():
    rules = [rule for rule in RULE.findall(tree.read("proto/SEMANTICS.md")) if not rule.startswith("IP")]
    named, broken, findings = tests(), set(), []
    tested = set().union(*named.values())
    for path in tree.files(".toml"):
        table = tomllib.loads(tree.read(path))
        for mutant in table.get("mutant", []):
            broken.add(mutant["rule"])
            findings += [f"{path}: {mutant['rule']} ({mutant['why']}): {what}" for what in wrong(mutant, named)]
        broken |= {exempt["rule"] for exempt in table.get("without", [])}
    findings += [f"{rule}: no test of the runtime is named test_{rule}_…" for rule in rules if rule not in tested]
    findings += [f"{rule}: no mutant in tests/mutants" for rule in rules if rule not in broken]
    tree.report(findings, f"{len(rules)} rules, their tests and mutants")


main()
