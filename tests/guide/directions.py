"""directions.py SOURCE FOLDER COMPILER...: the ends of a channel used as they may be compile, used wrongly none does; nor
does, where warnings are errors, an error of a group that nobody looks at."""

import subprocess
import sys

RIGHT, WRONG = 0, range(1, 8)


def compiles(source, folder, compiler, variant):
    command = [*compiler, "-std=gnu17", "-Werror=unused-result", f"-DWRONG={variant}", f"-I{folder}", "-S", source,
               "-o", "/dev/null"]
    return subprocess.run(command, capture_output=True).returncode == 0


def main():
    source, folder, *compiler = sys.argv[1:]
    if not compiles(source, folder, compiler, RIGHT):
        sys.exit("the right use does not compile")
    accepted = [variant for variant in WRONG if compiles(source, folder, compiler, variant)]
    if accepted:
        sys.exit(f"these wrong uses compile: {accepted}")
    print(f"{len(WRONG)} wrong uses are refused")


main()
