"""Makes `.venv` hold exactly what a requirement file pins; the one step all scripts share.

Laws: nothing is done when nothing has changed (a stamp holds the hash of all that matters); two
runs at once wait for each other; a run that was cut short leaves no stamp, so the next one goes on.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

ROOT: Final = Path(__file__).resolve().parent.parent
VENV: Final = ROOT / ".venv"
PYTHON: Final = VENV / "bin" / "python"
SETS: Final = {"service": ["service.txt"], "dev": ["dev.txt", "service.txt"]}
"""What a set is made of: the first file is installed, the others are inside it."""


def say(text: str) -> None:
    """Tell the person who waits what happens."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


def stop(text: str) -> NoReturn:
    """End with an error that says what to do."""
    say(text)
    sys.exit(1)


def stamp_of(name: str) -> str:
    """Return a hash that changes when the set must be installed again."""
    digest = hashlib.sha256(f"{ROOT}\n".encode())
    for path in ("pyproject.toml", "requirements/build.txt", f"requirements/{name}"):
        digest.update((ROOT / path).read_bytes())
    return digest.hexdigest()


def is_done(files: list[str]) -> bool:
    """Return whether this set, or a larger one that holds it, is already installed."""
    stamp = VENV / f"stamp-{files[0]}"
    return works() and stamp.is_file() and stamp.read_text() == stamp_of(files[0])


def works() -> bool:
    """Return whether the interpreter of `.venv` runs and can install."""
    command = [str(PYTHON), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - our own interpreter
    except OSError:
        return False


def make_venv() -> None:
    """Make an empty `.venv`, in place of one that no longer works."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if importlib.util.find_spec("ensurepip") is None:
        stop(
            f"Python {version} ({sys.executable}) cannot make .venv: it has no ensurepip. "
            f"Install it: apt install python{version}-venv, then run this again."
        )
    if VENV.exists():
        say("the old .venv does not work (moved, or made by a Python that is gone); making it anew")
        shutil.rmtree(VENV)
    say(f"making .venv with Python {version}")
    result = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-m", "venv", VENV], check=False, capture_output=True, text=True
    )
    if result.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        stop(
            f"could not make .venv: {(result.stderr or result.stdout).strip()}\n"
            f"setup: on Debian and Ubuntu this helps: apt install python{version}-venv"
        )


def pip(*arguments: str) -> None:
    """Run pip in `.venv`, showing its output only when it fails."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as run:
        assert run.stdout is not None
        kept: list[str] = []
        told = time.monotonic()
        for line in run.stdout:
            kept.append(line)
            if line.startswith("Collecting ") and time.monotonic() - told > 2:  # noqa: PLR2004 - seconds of silence
                told = time.monotonic()
                count = sum(entry.startswith("Collecting ") for entry in kept)
                say(f"  {count} packages found, now {line.split()[1].split('=')[0]}")
            elif line.startswith("Installing collected"):
                say("  all there, unpacking")
    if run.returncode:
        sys.stderr.writelines(kept[-30:])
        stop("pip failed (above). Is the network there? Then run this again: it goes on.")


def install(name: str) -> None:
    """Bring `.venv` to exactly what the file pins, and the project itself as editable."""
    if not works():
        make_venv()
    wanted = sum(
        1 for line in (ROOT / "requirements" / name).read_text().splitlines() if "==" in line
    )
    say(f"installing {wanted} packages pinned in requirements/{name}")
    pip("-r", "requirements/build.txt", "-r", f"requirements/{name}")
    pip("--no-deps", "--no-build-isolation", "-e", ".")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the lock of this checkout, waiting for another run that has it."""
    with Path(__file__).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is setting up; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(name: str) -> None:
    """Install the set unless it is there."""
    if name not in SETS:
        stop(f"there is no set {name!r}; there are {', '.join(SETS)}")
    files = SETS[name]
    if is_done(files):
        return
    with alone():
        if name == "service" and is_done(SETS["dev"]):
            return
        if is_done(files):
            return
        began = time.monotonic()
        install(files[0])
        for file in files:
            (VENV / f"stamp-{file}").write_text(stamp_of(file))
        say(f"done in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    os.umask(0o022)
    main(sys.argv[1] if len(sys.argv) > 1 else "service")
