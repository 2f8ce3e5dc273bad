"""Every C file looks as .clang-format says."""

import shutil
import subprocess
import sys

import tree

# Another version of clang-format formats differently; this is the one of Debian 12.
VERSION = "version 14."


def main():
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if not tool or VERSION not in subprocess.run([tool, "--version"], capture_output=True, text=True).stdout:
        print("clang-format 14 is not installed")
        sys.exit(77)
    paths = [str(path) for path in tree.files(".c", ".h")]
    run = subprocess.run([tool, "--dry-run", "-Werror", "--ferror-limit=1", *paths], cwd=tree.ROOT,
                         capture_output=True, text=True)
    wrong = sorted({line.split(":")[0] for line in run.stderr.splitlines() if "[-Wclang-format" in line})
    if run.returncode != 0 and not wrong:
        wrong = run.stderr.splitlines()
    tree.report([f"{path}: run clang-format -i" for path in wrong], f"format of {len(paths)} files")


main()
