"""expect_report.py TEXT... PROGRAM: passes when the program fails and its report holds every TEXT."""

import subprocess
import sys

*wanted, program = sys.argv[1:]
run = subprocess.run([program], capture_output=True, text=True, errors="replace", timeout=60)
missing = [text for text in wanted if text not in run.stderr]
print(run.stderr)
if run.returncode == 0:
    sys.exit(f"{program} ended with status 0: nothing was reported")
if missing:
    sys.exit(f"{program} failed with status {run.returncode}, but its report lacks: {', '.join(missing)}")
