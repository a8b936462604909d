"""Runs atheris on the targets of `tests/fuzz`, each in its own process, and keeps what it finds.

The kept corpus and the good examples are the seed. Afterwards the corpus holds the smallest set of
files that reaches what the old and the new ones reach, within its bounds, and each crash as
`crash-…`. With `KVITOK_FUZZ_TARGET` set this is one of those processes, with libFuzzer's arguments.
"""

import argparse
import importlib
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
SCRIPT: Final = ROOT / "scripts/fuzz"
CHILD: Final = "KVITOK_FUZZ_TARGET"
CORPUS: Final = ROOT / "tests/fuzz/corpus"
FILES_PER_TARGET_MAX: Final = 16
FILE_BYTES_MAX: Final = 8 * 1024
"""Of what is kept for its coverage; a crash is kept whatever its size."""
INPUT_BYTES_MAX: Final = 8 * 1024
SLOW: Final = {
    "ack_topic": 2048,
    "program": 4096,
    "ccnet_frames": 384,
    "note_acceptor": 192,
    "receipt_printer": 384,
}
"""Targets whose time grows with their input: a long one shows nothing that a short one does not."""
MEMORY_MIB_MAX: Final = 1024
ANSWER_S_MAX: Final = 20
OURS: Final = ("agent", "collector", "desk", "kvitok", "wire", "tests", "json", "tomllib", "email",
               "incidents")  # fmt: skip
"""Packages whose branches guide the fuzzer."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one target's run has shown."""

    executions: int
    seconds: float
    kept: int
    crashes: tuple[Path, ...]
    output: str


def child(target: str, arguments: list[str]) -> None:
    """Fuzz one target in this process; never returns."""
    logging.disable(logging.CRITICAL)
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=list(OURS)):
        targets = importlib.import_module("tests.fuzz.targets").TARGETS
        strategies = importlib.import_module("tests.fuzz.strategies")

    def mutate(data: bytes, size_max: int, seed: int) -> bytes:
        if seed % 3:
            changed: bytes = atheris.Mutate(data, size_max)
        else:
            changed = strategies.mutated(data, Random(seed))[:size_max]  # noqa: S311 - no secret
        return changed

    atheris.Setup([str(SCRIPT), *arguments], targets[target], custom_mutator=mutate)
    atheris.Fuzz()


def libfuzzer(target: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a child with arguments for libFuzzer."""
    return subprocess.run(  # noqa: S603 - this very script
        [SCRIPT, *arguments],
        check=False, capture_output=True, text=True, errors="replace", cwd=ROOT,
        env={**os.environ, CHILD: target, "PYTHONHASHSEED": "0"},
    )  # fmt: skip


def fuzz(target: str, seconds: int, work: Path) -> Found:
    """Fuzz a target for so long and bring its part of the corpus up to date."""
    kept, new = CORPUS / target, work / "new"
    kept.mkdir(parents=True, exist_ok=True)
    new.mkdir()
    write_seeds(target, work / "seeds")
    began = time.monotonic()
    run = libfuzzer(
        target,
        f"-max_total_time={seconds}",
        f"-artifact_prefix={work}/",
        f"-max_len={SLOW.get(target, INPUT_BYTES_MAX)}",
        f"-rss_limit_mb={MEMORY_MIB_MAX}",
        f"-timeout={ANSWER_S_MAX}",
        "-print_final_stats=1",
        *map(str, (new, kept, work / "seeds")),
    )
    took = time.monotonic() - began
    crashes = tuple(keep_crash(each, kept) for each in broken(work))
    added = merge(target, kept, new, work)
    count = re.search(r"number_of_executed_units:\s*(\d+)", run.stderr)
    rounds = count or re.search(r"Done (\d+) runs", run.stderr)
    executions = int(rounds[1]) if rounds else 0
    if run.returncode and not crashes:
        sys.exit(f"fuzz: {target} ended with {run.returncode}:\n{run.stderr[-3000:]}")
    return Found(executions, took, added, crashes, run.stdout + run.stderr)


def write_seeds(target: str, folder: Path) -> None:
    """Write the good examples of a target where libFuzzer reads them."""
    folder.mkdir()
    for number, seed in enumerate(importlib.import_module("tests.fuzz.seeds").SEEDS[target]):
        (folder / str(number)).write_bytes(seed)


def broken(work: Path) -> list[Path]:
    """Return the inputs that broke a law, took too long or too much."""
    kinds = ("crash-*", "timeout-*", "oom-*", "slow-unit-*")
    return [path for kind in kinds for path in sorted(work.glob(kind))]


def keep_crash(path: Path, kept: Path) -> Path:
    """Keep an input that broke something under a name that says so."""
    home = kept / f"crash-{path.name.rpartition('-')[2][:12]}"
    shutil.copyfile(path, home)
    return home


def merge(target: str, kept: Path, new: Path, work: Path) -> int:
    """Replace what was kept for its coverage by a smallest set of old and new; count the new."""
    candidates, chosen = work / "candidates", work / "chosen"
    candidates.mkdir()
    chosen.mkdir()
    before = [path for path in sorted(kept.iterdir()) if not path.name.startswith("crash-")]
    for path in (*before, *sorted(new.iterdir())):
        if path.stat().st_size <= FILE_BYTES_MAX:
            # Named by libFuzzer after its content: a name is the same file everywhere.
            shutil.copyfile(path, candidates / path.name[:12])
    run = libfuzzer(target, "-set_cover_merge=1", *map(str, (chosen, work / "seeds", candidates)))
    if run.returncode:
        sys.exit(f"fuzz: the corpus of {target} could not be merged:\n{run.stderr[-2000:]}")
    best = sorted(chosen.iterdir(), key=lambda path: path.stat().st_size)[-FILES_PER_TARGET_MAX:]
    known = {path.name for path in before}
    for path in before:
        path.unlink()
    for path in best:
        shutil.copyfile(path, kept / path.name[:12])
    return len({path.name[:12] for path in best} - known)


def main() -> int:
    """Fuzz what was asked for, a target at a time."""
    names = list(importlib.import_module("tests.fuzz.seeds").SEEDS)
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description="Fuzzes outward parsers.")
    parser.add_argument("target", nargs="*", help=f"of: {', '.join(names)}; all without one")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    asked = parser.parse_args()
    unknown = set(asked.target) - set(names)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    print(f"{'target':18}{'executions':>12}{'a second':>10}{'kept new':>10}{'crashes':>9}")
    crashed = False
    for target in asked.target or names:
        with tempfile.TemporaryDirectory(prefix="kvitok-fuzz-") as folder:
            found = fuzz(target, asked.seconds, Path(folder))
        rate = found.executions / found.seconds
        print(
            f"{target:18}{found.executions:>12}{rate:>10.0f}{found.kept:>10}{len(found.crashes):>9}"
        )
        sys.stdout.flush()
        for crash in found.crashes:
            crashed = True
            trace = found.output.partition("=== Uncaught Python exception: ===")[2]
            trace = trace.partition("\nINFO:")[0][:3000]
            print(f"  {crash.relative_to(ROOT)}{trace}", file=sys.stderr)
    return int(crashed)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if CHILD in os.environ:
        child(os.environ[CHILD], sys.argv[1:])
    sys.exit(main())
