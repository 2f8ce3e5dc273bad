#!/usr/bin/env python3
"""Breaks the runtime in one place at a time; the tests of the rule that lives there must notice.

usage: run.py [--rule RULE]... [--list] [--keep DIR] [--jobs N]

Each *.toml here holds mutants: a rule of proto/SEMANTICS.md, a text of a source file, what stands there instead (or an
array of texts and what stands for each), and the test program whose tests of that rule (test_RULE_…) must then fail, by
a check, a crash or by never ending. What only the race detector can see has `race = true`: it is built and run under the
thread sanitizer. The tree is copied, built once, and changed there, never here. A mutant that its tests let live is a
failure; so is one whose text is gone from the source, or whose tests fail without it.
"""
import argparse, contextlib, os, pathlib, shutil, signal, subprocess, sys, tempfile, time, tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRST_SECONDS = 240  # for tests that nobody has timed yet
BUILDS = {False: ("build", []), True: ("build-race", ["-Db_sanitize=thread", "-Db_lundef=false"])}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rule", action="append", help="only mutants of this rule")
    parser.add_argument("--list", action="store_true", help="print the mutants and end")
    parser.add_argument("--keep", help="build in this folder and leave it, for the next time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="compilers at a time")
    return parser.parse_args()


def texts(mutant):
    """Pairs of what stands in the source and what takes its place."""
    old, new = mutant["from"], mutant["to"]
    return [(old, new)] if isinstance(old, str) else list(zip(old, new, strict=True))


def mutants(rules):
    """All mutants, or those of some rules, in the order of the files; those of the race build last."""
    found = []
    for path in sorted((ROOT / "tests/mutants").glob("*.toml")):
        found += tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", [])
    found = [mutant for mutant in found if not rules or mutant["rule"] in rules]
    return sorted(found, key=lambda mutant: mutant.get("race", False))


def copy_tree(target):
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], check=True, text=True,
                           capture_output=True).stdout.splitlines()
    for name in names:
        source, copy = ROOT / name, target / name
        if source.is_file() and not (copy.is_file() and copy.read_bytes() == source.read_bytes()):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)


class Tree:
    """The copy, its build folders, and how long each rule's tests take in a sound build."""

    def __init__(self, path, jobs):
        self.path, self.jobs, self.seconds = path, jobs, {}

    def folder(self, mutant):
        return self.path / BUILDS[mutant.get("race", False)][0]

    def set_up(self, race):
        """Plain and optimised a little, or with the thread sanitizer."""
        name, options = BUILDS[race]
        if (self.path / name / "build.ninja").exists():
            return
        env = dict(os.environ, CC="clang") if race else None
        subprocess.run(["meson", "setup", self.path / name, self.path, "-Doptimization=1", "-Dwerror=false", *options],
                       check=True, env=env, stdout=subprocess.DEVNULL)

    def build(self, folder, programs):
        """Whether the programs compile; prints the end of the log if not."""
        done = subprocess.run(["ninja", "-j", str(self.jobs), "-C", folder, *programs], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            print(done.stdout[-3000:])
        return done.returncode == 0

    def run_tests(self, mutant):
        """How the program's tests of the rule end: "passed", "failed", "hung" or "none" (there is no such test)."""
        key = (mutant["rule"], mutant["test"], mutant.get("race", False))
        limit = 5 + 10 * self.seconds[key] if key in self.seconds else FIRST_SECONDS
        env = dict(os.environ, TEST_FILTER=f"test_{mutant['rule']}_*", MALLOC_PERTURB_="165")
        # The thread sanitizer wants its addresses where it expects them.
        command = ["setarch", "-R"] if mutant.get("race") else []
        begun = time.monotonic()
        program = subprocess.Popen([*command, self.folder(mutant) / mutant["test"]], env=env, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, errors="replace",
                                   start_new_session=True)
        try:
            said, _ = program.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return "hung"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)  # and what it has left behind
            program.wait()
        if program.returncode != 0:
            return "failed"
        self.seconds.setdefault(key, time.monotonic() - begun)
        return "passed" if "[       OK ]" in said else "none"

    def try_one(self, mutant):
        """What went wrong with this mutant, or None."""
        path = self.path / mutant["file"]
        source = broken = path.read_text(encoding="utf-8")
        for old, new in texts(mutant):
            if source.count(old) != 1:
                return f"its text occurs {source.count(old)} times in {mutant['file']}"
            broken = broken.replace(old, new)
        path.write_text(broken, encoding="utf-8")
        try:
            if not self.build(self.folder(mutant), [mutant["test"]]):
                return "does not compile"
            return "LIVES" if self.run_tests(mutant) in ("passed", "none") else None
        finally:
            path.write_text(source, encoding="utf-8")

    def sound(self, chosen):
        """Builds everything unchanged: the mutants whose tests exist and pass."""
        for race in {mutant.get("race", False) for mutant in chosen}:
            self.set_up(race)
            some = [mutant for mutant in chosen if mutant.get("race", False) == race]
            if not self.build(self.folder(some[0]), sorted({mutant["test"] for mutant in some})):
                return []
        endings = {}
        for mutant in chosen:
            key = (mutant["rule"], mutant["test"], mutant.get("race", False))
            if key not in endings:
                endings[key] = self.run_tests(mutant)
                if endings[key] != "passed":
                    print(f"{key[0]:5} without a mutant its tests in {key[1]}: {endings[key]}", flush=True)
        return [mutant for mutant in chosen
                if endings[mutant["rule"], mutant["test"], mutant.get("race", False)] == "passed"]


def main():
    args = arguments()
    chosen = mutants(args.rule)
    if args.list:
        for mutant in chosen:
            print(f"{mutant['rule']:5} {mutant['file']:24} {mutant['why']}")
        return 0
    folder = args.keep or tempfile.mkdtemp(prefix="mutants-")
    tree, left, killed, begun = Tree(pathlib.Path(folder).resolve(), args.jobs), [], 0, time.monotonic()
    try:
        copy_tree(tree.path)
        for mutant in tree.sound(chosen):
            wrong = tree.try_one(mutant)
            print(f"{mutant['rule']:5} {wrong or 'killed'}: {mutant['why']}", flush=True)
            killed += wrong is None
            left += [f"{mutant['rule']:5} {wrong}: {mutant['why']}"] if wrong else []
    finally:
        if not args.keep:
            shutil.rmtree(folder)
    for line in left:  # once more: a log that is cut keeps its end
        print(line)
    print(f"{killed} mutants killed, {len(chosen) - killed} not, in {time.monotonic() - begun:.0f} s")
    return 1 if killed < len(chosen) or not chosen else 0


sys.exit(main())
