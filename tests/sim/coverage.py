#!/usr/bin/env python3
"""How much of the core the simulator alone runs: builds it with counters, runs seeds, and prints a table.

Fails when fewer than 95 % of the lines of daemon/core are reached. Lines that no seed can reach stand in
UNREACHED with their reason and do not count; a line of that list which a seed does reach is an error, too.

    tests/sim/coverage.py [--seeds N] [--build DIR] [--lines [FILE]] [--wanted PERCENT]
"""
import argparse, json, os, pathlib, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = ROOT / "daemon/core"

COLLISION = "two keyed hashes of 64 bits would have to be the same"

# (file, a function or the text of a line, why no seed reaches it)
UNREACHED = [
    ("core.c", "default_resize", "the simulator has an allocator of its own"),
    ("calendar.c", "calendar_days", "only the shell asks for it, where it reads zones"),
    ("channel_open.c", "n = map_next(n);", COLLISION),
    ("commit.c", "n = map_next(n);", COLLISION),
    ("context.c", "n = map_next(n);", COLLISION),
    ("link.c", "n = map_next(n);", COLLISION),
    ("op.c", "n = map_next(n);", COLLISION),
    ("retention.c", "n = map_next(n);", COLLISION),
    ("scope.c", "n = map_next(n);", COLLISION),
    ("session.c", "n = map_next(n);", COLLISION),
    ("job_store.c", "say_again", "a store that keeps to the rules of record.h refuses no news of a job"),
    ("job_store.c", "say_again(core, work->job);", "the same"),
]


def call(*command, **options):
    return subprocess.run(command, check=True, cwd=ROOT, **options)


def build(folder):
    if not (folder / "build.ninja").exists():
        compiler = os.environ.get("CC", "")
        env = os.environ | {"CC": compiler if "gcc" in compiler else "gcc"}  # the counters of clang are others
        call("meson", "setup", folder, "-Db_coverage=true", stdout=subprocess.DEVNULL, env=env)
    call("ninja", "-C", folder, "tests/sim/sim", stdout=subprocess.DEVNULL)
    for old in folder.rglob("*.gcda"):
        old.unlink()


def run(folder, seeds, processes):
    """Each process adds its counts to the same files when it ends."""
    parts = [(i * seeds // processes + 1, (i + 1) * seeds // processes) for i in range(processes)]
    running = [subprocess.Popen([folder / "tests/sim/sim", "--together", "--seeds", f"{first}-{last}"], cwd=ROOT,
                                stdout=subprocess.PIPE, text=True) for first, last in parts]
    for process in running:
        text = process.communicate()[0]
        if process.returncode != 0:
            print(text)
            sys.exit("the simulator failed")


def counts_of(notes):
    """File of the core -> line -> [how often it ran, its function], of one object."""
    text = subprocess.run(["gcov", "--json-format", "--stdout", notes], check=True, cwd=notes.parent,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    found = {}
    for report in map(json.loads, filter(None, text.splitlines())):
        for source in report["files"]:
            path = pathlib.Path(os.path.normpath(pathlib.Path(report["current_working_directory"]) / source["file"]))
            if path.parent == CORE and path.suffix == ".c":
                lines = found.setdefault(path.name, {})
                for line in source["lines"]:
                    number = line["line_number"]
                    lines.setdefault(number, [0, line.get("function_name")])[0] += line["count"]
    return found


def measure(folder):
    """As counts_of, of all objects of the core."""
    objects = [n for n in sorted(folder.glob("daemon/core/*.p/*.gcno")) if "planted" not in n.parent.name]
    sums = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(counts_of, objects):
            for name, lines in found.items():
                into = sums.setdefault(name, {})
                for number, (n, function) in lines.items():
                    into.setdefault(number, [0, function])[0] += n
    return sums


def leave_out(sums):
    """Takes the lines of UNREACHED off; says which of them are not in the source, or were reached."""
    wrong = []
    for name, text, _ in UNREACHED:
        source = (CORE / name).read_text(encoding="utf-8").splitlines()
        lines = [n for n, (_, function) in sums[name].items() if text in (function, source[n - 1].strip())]
        if not lines:
            wrong.append(f"{name}: no such function or line: {text}")
        for number in lines:
            if sums[name].pop(number)[0]:
                wrong.append(f"{name}:{number}: is reached, so it must not stand in UNREACHED: {text}")
    return wrong


def table(sums):
    """Prints it, the worst file first; returns the percentage of all."""
    rows = [(name, len(lines), sum(n > 0 for n, _ in lines.values())) for name, lines in sums.items()]
    for name, lines, reached in sorted(rows, key=lambda row: row[2] - row[1]):
        print(f"{name:20} {lines:6} lines {reached:6} reached {lines - reached:5} not {100 * reached / lines:6.1f} %")
    lines, reached = (sum(row[i] for row in rows) for i in (1, 2))
    print(f"{'all':20} {lines:6} lines {reached:6} reached {lines - reached:5} not {100 * reached / lines:6.2f} %",
          f"(without {len(UNREACHED)} places that cannot be)")
    return 100 * reached / lines


def show(sums, only):
    for name, lines in sorted(sums.items()):
        if only not in ("all", name):
            continue
        source = (CORE / name).read_text(encoding="utf-8").splitlines()
        for number in sorted(n for n, (count, _) in lines.items() if not count):
            print(f"{name}:{number}: {source[number - 1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--build", type=lambda text: pathlib.Path(text).resolve(), default=ROOT / "build-coverage")
    parser.add_argument("--lines", nargs="?", const="all", help="print the lines that were not reached")
    parser.add_argument("--wanted", type=float, default=95, help="percent")
    options = parser.parse_args()
    build(options.build)
    run(options.build, options.seeds, min(2, os.cpu_count()))
    sums = measure(options.build)
    wrong = leave_out(sums)
    if options.lines:
        show(sums, options.lines)
    percent = table(sums)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    if wrong or percent < options.wanted:
        sys.exit(f"{percent:.2f} % of the core's lines are reached, {options.wanted:g} % are wanted")


if __name__ == "__main__":
    main()
