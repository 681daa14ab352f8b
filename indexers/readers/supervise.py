"""
Run a command and end it, with all its children, when standard input is closed.

Started as a script, in a session of its own, by a process that holds the other end of standard input: when
that process dies, in whatever way, nothing of the command is left.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

_POLL_S = 0.1


def main(command: list[str]) -> int:
    """Run `command`; its exit status, or none at all when standard input was closed first."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while child.poll() is None:
        readable, _, _ = select.select([sys.stdin.fileno()], [], [], _POLL_S)
        if readable:
            os.killpg(0, signal.SIGKILL)
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
