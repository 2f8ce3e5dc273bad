#!/usr/bin/env python3
"""Breaks the runtime or the core in one place at a time; the tests of the rule that lives there, or the assertion, must notice.

usage: run.py [--of rules|assertions] [--rule RULE]... [--fires WORDS]... [--list] [--keep DIR] [--jobs N]

Each *.toml here holds mutants of rules: a rule of proto/SEMANTICS.md, a text of a source file, what stands there instead (or an
array of texts and what stands for each), and the test program whose tests of that rule (test_RULE_…) must then fail, by
a check, a crash or by never ending. What only the race detector can see has `race = true`: it is built and run under the
thread sanitizer. The tree is copied, built once, and changed there, never here. A mutant that its tests let live is a
failure; so is one whose text is gone from the source, or whose tests fail without it.

Each core/*.toml holds mutants of assertions: the words of an assertion of the core, and the test program that this very
assertion must end with the core so broken, all its tests or those of a filter.
"""
import argparse, contextlib, os, pathlib, shutil, signal, subprocess, sys, tempfile, time, tomllib

import assertions

ROOT = assertions.ROOT
FIRST_SECONDS = 240  # for tests that nobody has timed yet
KINDS = {"rules": ("*.toml", "mutant"), "assertions": ("core/*.toml", "assertion")}  # files, and the name of an entry
BUILDS = {False: ("build", []), True: ("build-race", ["-Db_sanitize=thread", "-Db_lundef=false"])}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", choices=KINDS, help="only mutants of this kind")
    parser.add_argument("--rule", action="append", help="only mutants of this rule")
    parser.add_argument("--fires", action="append", metavar="WORDS", help="only mutants of assertions with these words")
    parser.add_argument("--list", action="store_true", help="print the mutants and end")
    parser.add_argument("--keep", help="build in this folder and leave it, for the next time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="compilers at a time")
    return parser.parse_args()


def texts(mutant):
    """Pairs of what stands in the source and what takes its place."""
    old, new = mutant["from"], mutant["to"]
    return [(old, new)] if isinstance(old, str) else list(zip(old, new, strict=True))


def title(mutant):
    """What it is about: a rule, or the words of an assertion."""
    return mutant.get("rule") or mutant["fires"]


def filters(mutant):
    """Which tests of its program must notice."""
    return f"test_{mutant['rule']}_*" if "rule" in mutant else mutant.get("filter", "*")


def key(mutant):
    """Mutants that are alike in this have the same tests, in the same build."""
    return mutant["test"], filters(mutant), mutant.get("race", False)


def asked(mutant, args):
    """Whether the arguments ask for it."""
    if not args.rule and not args.fires:
        return True
    return mutant.get("rule") in (args.rule or ()) or any(words in mutant.get("fires", "") for words in args.fires or ())


def mutants(args):
    """Those asked for, in the order of the files; those of the race build last."""
    found = []
    for kind in [args.of] if args.of else KINDS:
        files, entry = KINDS[kind]
        for path in sorted((ROOT / "tests/mutants").glob(files)):
            found += tomllib.loads(path.read_text(encoding="utf-8")).get(entry, [])
    return sorted((mutant for mutant in found if asked(mutant, args)), key=lambda mutant: mutant.get("race", False))


def copy_tree(target):
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], check=True, text=True,
                           capture_output=True).stdout.splitlines()
    for name in names:
        source, copy = ROOT / name, target / name
        if source.is_file() and not (copy.is_file() and copy.read_bytes() == source.read_bytes()):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)


class Tree:
    """The copy, its build folders, how long tests take in a sound build, and the assertions of the sound core."""

    def __init__(self, path, jobs):
        self.path, self.jobs, self.seconds, self.assertions = path, jobs, {}, list(assertions.of_core())

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
        """How its tests end: "passed", "failed", "hung" or "none" (there is no such test); and what they said."""
        limit = 5 + 10 * self.seconds[key(mutant)] if key(mutant) in self.seconds else FIRST_SECONDS
        env = dict(os.environ, TEST_FILTER=filters(mutant), MALLOC_PERTURB_="165")
        # The thread sanitizer wants its addresses where it expects them.
        command = ["setarch", "-R"] if mutant.get("race") else []
        begun = time.monotonic()
        program = subprocess.Popen([*command, self.folder(mutant) / mutant["test"]], env=env, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, errors="replace",
                                   start_new_session=True)
        try:
            said, _ = program.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return "hung", ""
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)  # and what it has left behind
            program.wait()
        if program.returncode != 0:
            return "failed", said
        self.seconds.setdefault(key(mutant), time.monotonic() - begun)
        return "passed" if "[       OK ]" in said else "none", said

    def verdict(self, mutant):
        """What is wrong with how its tests ended, or None."""
        ended, said = self.run_tests(mutant)
        if "rule" in mutant:
            return "LIVES" if ended in ("passed", "none") else None
        fired = assertions.fired(said)
        if fired and any(fired == found[:3] for found in self.assertions if found.name == mutant["fires"]):
            return None
        return f"ends by another assertion, {fired[0]}: {fired[2]}" if fired else "LIVES" if ended == "passed" else ended

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
            return self.verdict(mutant)
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
            if key(mutant) not in endings:
                endings[key(mutant)], _ = self.run_tests(mutant)
                if endings[key(mutant)] != "passed":
                    print(f"{title(mutant):5} without a mutant its tests in {mutant['test']}: {endings[key(mutant)]}",
                          flush=True)
        return [mutant for mutant in chosen if endings[key(mutant)] == "passed"]


def main():
    args = arguments()
    chosen = mutants(args)
    if args.list:
        for mutant in chosen:
            print(f"{title(mutant):5} {mutant['file']:24} {mutant['why']}")
        return 0
    folder = args.keep or tempfile.mkdtemp(prefix="mutants-")
    tree, left, killed, begun = Tree(pathlib.Path(folder).resolve(), args.jobs), [], 0, time.monotonic()
    try:
        copy_tree(tree.path)
        for mutant in tree.sound(chosen):
            wrong = tree.try_one(mutant)
            print(f"{title(mutant):5} {wrong or 'killed'}: {mutant['why']}", flush=True)
            killed += wrong is None
            left += [f"{title(mutant):5} {wrong}: {mutant['why']}"] if wrong else []
    finally:
        if not args.keep:
            shutil.rmtree(folder)
    for line in left:  # once more: a log that is cut keeps its end
        print(line)
    print(f"{killed} mutants killed, {len(chosen) - killed} not, in {time.monotonic() - begun:.0f} s")
    return 1 if killed < len(chosen) or not chosen else 0


sys.exit(main())
