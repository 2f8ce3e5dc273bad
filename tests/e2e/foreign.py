"""What the tests of foreign clients share: a real daemon of their own, and running a file's tests.

A test is a function whose name begins with test_ and states one outcome; those of a file share one daemon."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import traceback

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="foreign."))
ENDPOINT = f"ipc://{FOLDER}/socket"
END_SECONDS = 60


@contextlib.contextmanager
def daemon(program, options):
    """It says itself when it is ready (sd_notify), and ends well when it is asked to."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(f"{FOLDER}/notify")
        ready.settimeout(END_SECONDS)
        process = subprocess.Popen([program, "--endpoint", ENDPOINT, "--state", f"{FOLDER}/state", *options],
                                   env=os.environ | {"NOTIFY_SOCKET": f"{FOLDER}/notify"})
        try:
            while b"READY=1" not in ready.recv(4096):
                pass
            yield
        finally:
            process.terminate()
            try:
                status = process.wait(END_SECONDS)
            finally:
                process.kill()  # nothing, if it has ended
                shutil.rmtree(FOLDER)
    assert status == 0, f"the daemon ended with status {status}"


def passed(name, test):
    """Whether it did; what it says if not."""
    try:
        test()
    except Exception:
        traceback.print_exc()
        print(f"[  FAILED  ] {name}")
        return False
    print(f"[       OK ] {name}")
    return True


def main(names, *options):
    """Runs the tests among these names with the daemon of the command line, given these options too."""
    tests = [(name, test) for name, test in names.items() if name.startswith("test_")]
    with daemon(sys.argv[1], options):
        print(f"[==========] Running {len(tests)} test(s).")
        failed = [name for name, test in tests if not passed(name, test)]
        print(f"[==========] {len(tests)} test(s) run.")
    sys.exit(1 if failed else 0)
