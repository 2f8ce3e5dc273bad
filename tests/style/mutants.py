"""Every rule of one process has a test of the runtime that names it, and every rule and assertion a mutant."""

import collections
import re
import sys
import tomllib

import tree

sys.path.insert(0, str(tree.ROOT / "tests/mutants"))
import assertions

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


def wrong_texts(mutant):
    """What is wrong with the form of one mutant; whether it lives only a run can say."""
    old = mutant["from"]
    for text in [old] if isinstance(old, str) else old:
        times = tree.read(mutant["file"]).count(text)
        if times != 1:
            yield f"a text occurs {times} times in {mutant['file']}"


def wrong_rule(mutant, named):
    yield from wrong_texts(mutant)
    if mutant["rule"] not in named.get(mutant["test"], ()):
        yield f"{mutant['test']} has no test named test_{mutant['rule']}_…"


def wrong_assertion(mutant, core):
    yield from wrong_texts(mutant)
    if mutant["fires"] not in core:
        yield "no assertion of the core has these words"
    if not (tree.ROOT / f"{mutant['test']}.c").is_file():
        yield f"there is no {mutant['test']}.c"


def of_rules(tables):
    """Rules without a test or a mutant, and mutants of rules that are wrong. How many rules there are."""
    rules = [rule for rule in RULE.findall(tree.read("proto/SEMANTICS.md")) if not rule.startswith("IP")]
    named, broken, findings = tests(), set(), []
    tested = set().union(*named.values())
    for path, table in tables:
        for mutant in table.get("mutant", []):
            broken.add(mutant["rule"])
            findings += [f"{path}: {mutant['rule']} ({mutant['why']}): {what}" for what in wrong_rule(mutant, named)]
        broken |= {exempt["rule"] for exempt in table.get("without", [])}
    findings += [f"{rule}: no test of the runtime is named test_{rule}_…" for rule in rules if rule not in tested]
    findings += [f"{rule}: no mutant in tests/mutants" for rule in rules if rule not in broken]
    return findings, len(rules)


def of_assertions(tables):
    """Assertions of the core that have no words of their own or no mutant, and mutants of them that are wrong."""
    core = assertions.of_core()
    times = collections.Counter(found.name for found in core)
    mutants = [(path, mutant) for path, table in tables for mutant in table.get("assertion", [])]
    seen = collections.Counter(mutant["fires"] for _, mutant in mutants)
    findings = [f"{path}: {mutant['fires']}: {what}" for path, mutant in mutants for what in wrong_assertion(mutant, times)]
    for found in core:
        place = f"{assertions.CORE}/{found.file}: {found.function}: {found.name}"
        if found.name == found.expression:
            findings.append(f"{place}: say in words what must hold: assert(… && \"words\")")
        elif times[found.name] > 1:
            findings.append(f"{place}: another assertion has the same words")
        if seen[found.name] != 1:
            findings.append(f"{place}: {seen[found.name]} mutants in tests/mutants/core make it fire; there should be one")
    return findings, len(core)


def main():
    tables = [(path, tomllib.loads(tree.read(path))) for path in tree.files(".toml")]
    (about_rules, rules), (about_core, core) = of_rules(tables), of_assertions(tables)
    tree.report(about_rules + about_core, f"{rules} rules, their tests and mutants; {core} assertions of the core")


main()
