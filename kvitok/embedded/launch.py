"""Becomes another program that ends with its parent: `-m kvitok.embedded.launch … -- PROGRAM`.

Laws: the program gets a signal when the process that started it dies, however that died. PostgreSQL
refuses to run as root, so as root it becomes `nobody`, who keeps one right of root's: to read and
enter every folder, because the checkout and the data may lie under one that only root may enter.
"""

import argparse
import ctypes
import os
import pwd
import resource
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_KEEPCAPS: Final = 8
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_RAISE: Final = 2
CAP_DAC_OVERRIDE: Final = 1
CAP_DAC_READ_SEARCH: Final = 2
CAPABILITY_VERSION_3: Final = 0x20080522
"""linux/prctl.h and linux/capability.h."""

NOBODY: Final = "nobody"
EXIT_PARENT_GONE: Final = 3


def command(
    program: list[str], *, parent: int, stop: signal.Signals, as_nobody: bool = False
) -> list[str]:
    """Return the command that starts the program through this module."""
    options = ["--parent", str(parent), "--signal", stop.name]
    if as_nobody:
        options.append("--as-nobody")
    return [sys.executable, "-m", "kvitok.embedded.launch", *options, "--", *program]


def main() -> None:
    """Become the program named on the command line."""
    parser = argparse.ArgumentParser(prog="kvitok.embedded.launch")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", required=True)
    parser.add_argument("--as-nobody", action="store_true")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    allow_many_files()
    if options.as_nobody:
        become_nobody()
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, int(signal.Signals[options.signal]))
    if os.getppid() != options.parent:
        sys.exit(EXIT_PARENT_GONE)
    os.execv(options.program[0], options.program)  # noqa: S606 - becoming it is the purpose


def allow_many_files() -> None:
    """Raise the number of open files to what the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else hard
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def become_nobody() -> None:
    """Give up root but for the right to read and enter folders."""
    entry = pwd.getpwnam(NOBODY)
    _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = "/"
    os.environ["USER"] = os.environ["LOGNAME"] = NOBODY
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if _keep_only(capability):
            return


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _keep_only(capability: int) -> bool:
    """Keep one capability through exec; False where this process does not have it."""
    bit = 1 << capability
    header = _Header(CAPABILITY_VERSION_3, 0)
    sets = (_Sets * 2)(_Sets(bit, bit, bit), _Sets(0, 0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(ctypes.byref(header), ctypes.byref(sets)) != 0:
        return False
    return bool(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


if __name__ == "__main__":
    main()
