"""The command behind `scripts/simulate`."""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tests.simulation import mutations, scenario, shrink
from tests.simulation.run import Result, run, run_seed
from tests.simulation.scenario import Scenario

PROGRESS_S: Final = 2.0
SHOWN_MAX: Final = 8


def main() -> int:
    """Run seeds; exit status 0 if nothing was violated (or, of a mutation, if it was found)."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of texts would differ from run to run.
        os.environ["PYTHONHASHSEED"] = "0"
        command = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
        os.execv(sys.executable, command)  # noqa: S606 - itself, with that set
    asked = _arguments()
    if asked.mutations:
        return _try_mutations(asked)
    if asked.seed is not None:
        return _one(asked)
    return _many(asked)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/simulate",
        description="A deterministic simulation of the whole: real journal, uplink, collector and "
        "fold; models of broker, network, disks and database; virtual time; faults from a seed.",
    )
    parser.add_argument("--seeds", type=int, default=100, help="how many seeds (default 100)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (default 1)")
    parser.add_argument("--seed", type=int, help="one seed only")
    parser.add_argument("--trace", action="store_true", help="tell the story of the seed")
    parser.add_argument("--shrink", action="store_true", help="find a smaller plan that fails")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--mutation", choices=sorted(mutations.MUTATIONS), help="with this bug")
    parser.add_argument(
        "--mutations", action="store_true", help="try every bug on up to 200 seeds each"
    )
    parser.add_argument("--terminals", type=int, help="so many terminals instead of the seed's")
    parser.add_argument("--days", type=float, help="so many virtual days instead of the seed's")
    parser.add_argument("--customers", type=int, help="so many customers a terminal in all")
    parser.add_argument("--calm", action="store_true", help="without faults")
    return parser.parse_args()


def _scenario(seed: int, asked: argparse.Namespace) -> Scenario:
    what = scenario.draw(seed)
    if asked.days is not None:
        what = scenario.lasting(what, asked.days * scenario.DAY_S)
    if asked.terminals is not None:
        what = replace(what, terminals=asked.terminals)
    if asked.customers is not None:
        what = replace(what, customers=asked.customers)
    return replace(what, plan=()) if asked.calm else what


def _one(asked: argparse.Namespace) -> int:
    what = _scenario(asked.seed, asked)
    result = run(what, mutation=asked.mutation, tell=asked.trace)
    if asked.shrink and not result.holds:
        law = result.violations[0].law
        print(f"shrinking: {law}, {len(what.plan)} faults", file=sys.stderr, flush=True)

        def fails(smaller: Scenario) -> bool:
            violations = run(smaller, mutation=asked.mutation).violations
            return any(each.law == law for each in violations)

        what = shrink.shrunk(what, fails)
        result = run(what, mutation=asked.mutation, tell=asked.trace)
    for at, who, what_happened in result.lines:
        print(f"{at:12.3f}  {who:<14} {what_happened}")
    print(what)
    for fault in what.plan if asked.shrink or asked.trace else ():
        print(f"  {fault}")
    _say(result)
    return 0 if result.holds else 1


def _say(result: Result) -> None:
    if result.holds:
        print(
            f"seed {result.scenario.seed} holds: {result.events} events stored, "
            f"{result.incidents} incidents, {sum(result.faults.values())} faults, "
            f"{result.steps} steps in {result.took_s:.2f} s"
        )
        return
    print(f"seed {result.scenario.seed} FAILS")
    for each in result.violations[:SHOWN_MAX]:
        print(f"  {each}")
    if len(result.violations) > SHOWN_MAX:
        print(f"  and {len(result.violations) - SHOWN_MAX} more")


def _task(task: tuple[int, str | None]) -> Result:
    seed, mutation = task
    try:
        return run_seed(seed, mutation=mutation)
    except Exception as error:
        raise RuntimeError(f"seed {seed} broke the simulator itself: {error!r}") from error


def _results(asked: argparse.Namespace) -> Iterator[Result]:
    tasks = [(seed, asked.mutation) for seed in range(asked.first, asked.first + asked.seeds)]
    if asked.jobs == 1:
        yield from map(_task, tasks)
        return
    with multiprocessing.Pool(asked.jobs) as pool:
        yield from pool.imap(_task, tasks, chunksize=4)


def _many(asked: argparse.Namespace) -> int:
    began = said = time.monotonic()
    done = events = incidents = 0
    virtual_s = 0.0
    kinds: Counter[str] = Counter()
    failed: list[int] = []
    for result in _results(asked):
        done += 1
        events += result.events
        incidents += result.incidents
        virtual_s += result.scenario.horizon_s
        kinds += result.faults
        if not result.holds:
            failed.append(result.scenario.seed)
            _say(result)
        if time.monotonic() - said >= PROGRESS_S:
            said = time.monotonic()
            print(f"\r{done}/{asked.seeds} seeds, {len(failed)} failed", end="", file=sys.stderr)
    took_s = time.monotonic() - began
    print(file=sys.stderr)
    for kind, count in sorted(kinds.items()):
        print(f"{count:9,}  {kind}")
    print(
        f"{done:,} seeds in {took_s:.0f} s: {virtual_s / scenario.DAY_S:,.0f} virtual days, "
        f"{events:,} events stored, {incidents:,} incidents, {sum(kinds.values()):,} faults; "
        f"{len(failed)} seeds failed"
    )
    for seed in failed[:SHOWN_MAX]:
        print(f"  scripts/simulate --seed {seed} --shrink --trace")
    return 1 if failed else 0


def _try_mutations(asked: argparse.Namespace) -> int:
    """Say of each deliberate bug which seed finds it first."""
    blind = []
    with multiprocessing.Pool(asked.jobs) as pool:
        for name, mutation in mutations.MUTATIONS.items():
            found = None
            for wave in range(asked.first, asked.first + mutations.SEEDS_MAX, asked.jobs):
                seeds = range(wave, wave + asked.jobs)
                results = pool.map(_task, [(seed, name) for seed in seeds], chunksize=1)
                found = next((result for result in results if not result.holds), None)
                if found is not None:
                    break
            if found is None:
                blind.append(name)
                print(f"NOT FOUND  {name}: {mutation.what}", flush=True)
            else:
                law = found.violations[0].law
                print(f"found by seed {found.scenario.seed:3d}  {name}: {law}", flush=True)
    return 1 if blind else 0


if __name__ == "__main__":
    sys.exit(main())
