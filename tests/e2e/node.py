"""A real daemon with a private address, for tests written as scripts.

    with Node(programs) as node:
        result = node.goctl("ping")

`programs` is the build directory. Ready means what the daemon says on NOTIFY_SOCKET; nothing here sleeps to be sure.
"""
import json, os, shutil, signal, socket, subprocess, tempfile

READY_SECONDS = 60


class Node:
    def __init__(self, build, *options):
        self.build, self.options, self.process = build, options, None
        self.folder = tempfile.mkdtemp(prefix="goroutined-test.")
        self.endpoint = f"ipc://{self.folder}/socket"
        self.env = dict(os.environ, GOROUTINED_ENDPOINT=self.endpoint)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if error[0]:
            print(f"---- log of the daemon\n{self.log()[-8000:]}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, **environment):
        """Returns when the daemon says READY=1. `environment` is added to its own."""
        path = f"{self.folder}/notify"
        if os.path.exists(path):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            notify.settimeout(READY_SECONDS)
            self.process = subprocess.Popen(
                [f"{self.build}/daemon/goroutined", "--endpoint", self.endpoint, "--state", f"{self.folder}/state",
                 *self.options], stderr=open(f"{self.folder}/log", "ab"), 
                env=dict(self.env, NOTIFY_SOCKET=path, **environment))
            try:
                while b"READY=1" not in notify.recv(4096):
                    pass
            except TimeoutError:
                raise AssertionError(f"the daemon did not become ready:\n{self.log()}") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(READY_SECONDS)

    def log(self):
        with open(f"{self.folder}/log", errors="replace") as log:
            return log.read()

    def plugin(self, name):
        return f"{self.build}/tests/e2e/{name}.so"

    def goctl(self, *arguments, input=None, timeout=60):
        return subprocess.run([f"{self.build}/client/goctl/goctl", *arguments], env=self.env, input=input,
                              capture_output=True, text=True, timeout=timeout)

    def background(self, *arguments):
        return subprocess.Popen([f"{self.build}/client/goctl/goctl", *arguments], env=self.env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def json(self, *arguments):
        result = self.goctl(*arguments, "--json")
        assert result.returncode == 0, result
        return json.loads(result.stdout)

    def json_lines(self, *arguments):
        result = self.goctl(*arguments, "--json")
        assert result.returncode == 0, result
        return [json.loads(line) for line in result.stdout.splitlines()]
