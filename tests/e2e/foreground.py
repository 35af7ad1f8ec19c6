"""A client in the foreground of a terminal, as a shell starts it: it can be suspended."""
import os
import pty
import re
import select
import signal
import termios

import world


class Shell:
    """The client at a terminal, in the foreground of a session whose leader watches it, as a shell
    does: without a leader nothing could be suspended."""

    def __init__(self, service, *arguments, through=()):
        """`through`: words of a program that starts the client with the words behind them."""
        self.news, told = os.pipe()
        words = [str(one) for one in (*through, service.client, *arguments)]
        leader, self.screen = pty.fork()
        if leader == 0:
            self.lead(words, service.env(), told)
        os.close(told)
        self.leader, self.pid = leader, self.hear()
        os.set_blocking(self.screen, False)
        self.text = ""

    @staticmethod
    def lead(words, env, told):
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        client = os.fork()
        if client == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.execve(words[0], words, env)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.write(told, b"%d\n" % client)
        status = None
        while status is None or os.WIFSTOPPED(status):
            _, status = os.waitpid(client, os.WUNTRACED)
            os.write(told, b"%d\n" % status)
        signal.pause()

    def hear(self):
        """The next number that the leader tells."""
        said = b""
        while not said.endswith(b"\n"):
            said += os.read(self.news, 1)
        return int(said)

    def read(self):
        try:
            self.text += os.read(self.screen, 65_536).decode(errors="replace")
        except OSError:
            pass
        return self.text

    def wait_for(self, pattern, count=1):
        world.wait_until(lambda: len(re.findall(pattern, self.read())) >= count,
                         what=f"“{pattern}”")

    def echoes(self):
        return bool(termios.tcgetattr(self.screen)[3] & termios.ECHO)

    def changed(self):
        """How it ended or stopped, once it has."""
        world.wait_until(lambda: (self.read(), select.select([self.news], [], [], 0)[0])[1],
                         what="the client's end")
        return self.hear()

    def close(self):
        os.kill(self.leader, signal.SIGKILL)
        os.waitpid(self.leader, 0)
        os.close(self.news)
        os.close(self.screen)
