#!/usr/bin/env python3
"""Runs a command, and every process that comes of it, so many times slower than the machine would.

    slowed.py FACTOR COMMAND [ARGUMENT...]

All of the processes are stopped together for (FACTOR - 1) of FACTOR parts of each period, by SIGSTOP
and SIGCONT, so timers and deadlines run on while the work stands still: what a busy machine does.
Processes that outlive their parents are still found: this program is their reaper. Linux only.
Exit status: the command's.
"""
import ctypes
import os
import signal
import sys
import time

PERIOD = 0.08  # seconds
PR_SET_CHILD_SUBREAPER = 36


def children():
    """Maps each process of the machine to those that it started."""
    tree = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:
                parent = int(stat.read().rsplit(b")", 1)[1].split()[1])
        except OSError:
            continue  # it has just ended
        tree.setdefault(parent, []).append(int(name))
    return tree


def descendants():
    tree = children()
    found = []
    waiting = [os.getpid()]
    while waiting:
        below = tree.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def reap(command):
    """Returns: the command's wait status; None while it runs."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == 0:
            return None
        if pid == command:
            return status


def main():
    factor = float(sys.argv[1])
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    command = os.spawnvp(os.P_NOWAIT, sys.argv[2], sys.argv[2:])
    ended = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: ended.append(number))
    status = None
    while status is None:
        time.sleep(PERIOD / factor)
        status = reap(command)
        if status is not None:
            break
        stopped = descendants()
        if ended:
            send([command], ended.pop())
        send(stopped, signal.SIGSTOP)
        time.sleep(PERIOD - PERIOD / factor)
        send(stopped, signal.SIGCONT)
    return os.waitstatus_to_exitcode(status) % 256


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main())
