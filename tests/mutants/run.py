#!/usr/bin/env python3
"""Breaks the runtime in one place at a time; the tests of the rule that lives there must notice.

usage: run.py [--rule RULE]... [--list] [--keep DIR]

Each *.toml here holds mutants: a rule of proto/SEMANTICS.md, a text of a source file, what stands there instead, and
the test program whose tests of that rule (test_RULE_…) must then fail, by a check, a crash or by never ending. The tree
is copied, built once, and changed there, never here. A mutant that its tests let live is a failure; so is one whose
text is gone from the source, or whose tests fail without it.
"""
import argparse, os, pathlib, shutil, subprocess, sys, tempfile, time, tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
END_SECONDS = 60  # a mutant that makes its test hang is caught by this


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rule", action="append", help="only mutants of this rule")
    parser.add_argument("--list", action="store_true", help="print the mutants and end")
    parser.add_argument("--keep", help="build in this folder and leave it, for the next time")
    return parser.parse_args()


def mutants(rules):
    """All mutants, or those of some rules, in the order of the files."""
    for path in sorted((ROOT / "tests/mutants").glob("*.toml")):
        for mutant in tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", []):
            if not rules or mutant["rule"] in rules:
                yield mutant


def copy_tree(target):
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], check=True, text=True,
                           capture_output=True).stdout.splitlines()
    for name in names:
        source, copy = ROOT / name, target / name
        if source.is_file() and not (copy.is_file() and copy.read_bytes() == source.read_bytes()):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)


def build(tree, programs):
    """Whether the programs compile; prints the end of the log if not."""
    done = subprocess.run(["ninja", "-C", tree / "build", *programs], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout[-3000:])
    return done.returncode == 0


def run_tests(tree, mutant):
    """How the program's tests of the rule end: "passed", "failed", "hung" or "none" (there is no such test)."""
    env = dict(os.environ, TEST_FILTER=f"test_{mutant['rule']}_*", ASAN_OPTIONS="detect_leaks=0")
    try:
        done = subprocess.run([tree / "build" / mutant["test"]], env=env, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=END_SECONDS, errors="replace")
    except subprocess.TimeoutExpired:
        return "hung"
    if done.returncode != 0:
        return "failed"
    return "passed" if "[       OK ]" in done.stdout + done.stderr else "none"


def try_one(tree, mutant):
    """What went wrong with this mutant, or None."""
    path = tree / mutant["file"]
    source = path.read_text(encoding="utf-8")
    if source.count(mutant["from"]) != 1:
        return f"its text occurs {source.count(mutant['from'])} times in {mutant['file']}"
    path.write_text(source.replace(mutant["from"], mutant["to"]), encoding="utf-8")
    try:
        if not build(tree, [mutant["test"]]):
            return "does not compile"
        return "lives" if run_tests(tree, mutant) in ("passed", "none") else None
    finally:
        path.write_text(source, encoding="utf-8")


def sound(tree, chosen):
    """Builds everything unchanged; every test that shall notice a mutant must exist and pass."""
    if not build(tree, sorted({mutant["test"] for mutant in chosen})):
        return False
    good = True
    for rule, test in sorted({(mutant["rule"], mutant["test"]) for mutant in chosen}):
        ending = run_tests(tree, {"rule": rule, "test": test})
        if ending != "passed":
            print(f"{rule}: without a mutant its tests in {test}: {ending}")
            good = False
    return good


def main():
    args = arguments()
    chosen = list(mutants(args.rule))
    if args.list:
        for mutant in chosen:
            print(f"{mutant['rule']:5} {mutant['file']:24} {mutant['why']}")
        return 0
    folder = args.keep or tempfile.mkdtemp(prefix="mutants-")
    tree, living, begun = pathlib.Path(folder).resolve(), [], time.monotonic()
    try:
        copy_tree(tree)
        if not (tree / "build/build.ninja").exists():
            subprocess.run(["meson", "setup", tree / "build", tree, "-Doptimization=1", "-Dwerror=false"], check=True,
                           stdout=subprocess.DEVNULL)
        if not sound(tree, chosen):
            return 1
        for mutant in chosen:
            wrong = try_one(tree, mutant)
            print(f"{mutant['rule']:5} {'LIVES' if wrong == 'lives' else wrong or 'killed'}: {mutant['why']}", flush=True)
            living += [mutant] if wrong else []
    finally:
        if not args.keep:
            shutil.rmtree(folder)
    print(f"{len(chosen) - len(living)} mutants killed, {len(living)} not, in {time.monotonic() - begun:.0f} s")
    return 1 if living or not chosen else 0


sys.exit(main())
