"""expect_no_compile.py SOURCE INCLUDE COMPILER...: the source compiles as it is, and with none of its WRONG_ macros."""

import re
import subprocess
import sys


def compiles(compiler, source, include, *options):
    run = subprocess.run([*compiler, "-std=gnu17", "-Werror", "-fsyntax-only", f"-I{include}", *options, source],
                         capture_output=True, text=True)
    return run.returncode == 0, run.stderr


def main():
    source, include, *compiler = sys.argv[1:]
    wrong = re.findall(r"^#ifdef (WRONG_\w+)$", open(source, encoding="utf-8").read(), re.M)
    fine, said = compiles(compiler, source, include)
    if not fine or not wrong:
        sys.exit(f"{source} itself does not compile, or has no wrong lines:\n{said}")
    found = [macro for macro in wrong if compiles(compiler, source, include, f"-D{macro}")[0]]
    sys.exit(f"compiles: {', '.join(found)}" if found else 0)


main()
