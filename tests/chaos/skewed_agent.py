"""The real agent in a process whose wall clock is wrong by what a file says.

The file `skew_ms` beside its settings is looked at twice a second: the clock steps as it runs.
"""

import contextlib
import runpy
import sys
import time
from pathlib import Path

_LOOK_S = 0.5

_skew_file = Path(sys.argv[sys.argv.index("--config") + 1]).with_name("skew_ms")
_time_ns, _monotonic = time.time_ns, time.monotonic
_skew_ns, _looked_at = 0, -_LOOK_S


def _skewed_ns() -> int:
    global _skew_ns, _looked_at  # noqa: PLW0603 - one clock for the whole process
    now = _monotonic()
    if now - _looked_at >= _LOOK_S:
        _looked_at = now
        with contextlib.suppress(OSError, ValueError):
            _skew_ns = int(_skew_file.read_text(encoding="ascii")) * 1_000_000
    return _time_ns() + _skew_ns


time.time_ns = _skewed_ns
time.time = lambda: _skewed_ns() / 1e9
runpy.run_module("agent", run_name="__main__", alter_sys=True)
