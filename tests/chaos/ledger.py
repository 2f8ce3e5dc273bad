"""The submitting clients of ledger.c, as scripts see them."""
import os, signal, subprocess, threading

PROGRESS_SECONDS = 120


class Ledger:
    """They say each acknowledged job on a pipe, which a thread of ours keeps empty. `news` may be that of several."""

    def __init__(self, command, env, news=None):
        # they are born with SIGTERM blocked, and take it off when they can finish on it: it may come at any time
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.jobs, self.ended, self.news = 0, False, news or threading.Condition()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        while said := os.read(self.process.stdout.fileno(), 4096):
            with self.news:
                self.jobs += len(said)
                self.news.notify()
        with self.news:
            self.ended = True
            self.news.notify()

    def wait_for(self, more):
        """Until `more` jobs are acknowledged. The end of the clients, or no job for long, is a failure."""
        with self.news:
            goal = self.jobs + more
            while self.jobs < goal:
                assert not self.ended, f"the clients ended with {self.process.wait()}"
                assert self.news.wait(PROGRESS_SECONDS), f"no progress at {self.jobs} of {goal} jobs"

    def stop(self):
        """Lets every client finish what it has begun."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PROGRESS_SECONDS) == 0, self.process.returncode

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
