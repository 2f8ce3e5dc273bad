"""directions.py SOURCE FOLDER COMPILER...: the ends of a channel used as they may be compile; used wrongly, none does."""

import subprocess
import sys

RIGHT, WRONG = 0, range(1, 7)


def compiles(source, folder, compiler, variant):
    command = [*compiler, "-std=gnu17", "-fsyntax-only", f"-DWRONG={variant}", f"-I{folder}", source]
    return subprocess.run(command, capture_output=True).returncode == 0


def main():
    source, folder, *compiler = sys.argv[1:]
    if not compiles(source, folder, compiler, RIGHT):
        sys.exit("the right directions do not compile")
    accepted = [variant for variant in WRONG if compiles(source, folder, compiler, variant)]
    if accepted:
        sys.exit(f"these wrong directions compile: {accepted}")
    print(f"{len(WRONG)} wrong directions are refused")


main()
