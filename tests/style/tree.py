"""What the style tests share: the files of this tree, and how a test reports what it found."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = ("build", ".git")


def files(*suffixes):
    """Paths below ROOT, relative, of all files git knows or would add; of all but builds where there is no git."""
    try:
        out = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z"], check=True,
                             capture_output=True).stdout.decode()
        names = [name for name in out.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [os.path.relpath(os.path.join(folder, name), ROOT) for folder, _, here in os.walk(ROOT)
                 for name in here]
        names = [name for name in names if not name.startswith(SKIPPED)]
    paths = sorted(pathlib.Path(name) for name in set(names))
    return [path for path in paths if (ROOT / path).is_file() and (not suffixes or path.suffix in suffixes)]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def report(findings, what):
    """Ends the test: 0 and one line when there are no findings, else 1 and all of them."""
    for line in findings:
        print(line)
    print(f"{what}: {len(findings)} findings" if findings else f"{what}: in order")
    sys.exit(1 if findings else 0)
