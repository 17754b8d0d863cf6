"""The long mode: `python -m tests.fuzz.long [--inputs 100000]` spreads inputs over the targets and tables what came."""

from __future__ import annotations

import argparse
import collections
import faulthandler
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from tests.fuzz.targets import TARGETS, Input, write
from tests.fuzz.watch import MAX_S, Outcome, watched

ADDRESS_SPACE = 4 * 2**30  # above what is mapped at the start: a net under the meter, which allows 1 GB
PER_PROBLEM = 3  # inputs kept of each kind of finding


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz all that reads what strangers send.")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--targets", nargs="*", choices=TARGETS, default=list(TARGETS))
    options = parser.parse_args()
    findings = Path(tempfile.mkdtemp(prefix="fer-fuzz-findings-"))
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + ADDRESS_SPACE,) * 2)
    shares = sum(TARGETS[name].share for name in options.targets)
    print(f"findings go to {findings}", flush=True)
    print(f"{'target':<14}{'inputs':>8}{'refused':>9}{'seconds':>9}{'slowest s':>11}{'peak MB':>9}{'findings':>10}")
    total = 0
    with tempfile.TemporaryDirectory(prefix="fer-fuzz-home-") as home:
        os.environ["FER_CACHE"] = os.environ["FER_RUNS"] = home
        for name in options.targets:
            count = round(options.inputs * TARGETS[name].share / shares)
            total += _fuzz(name, count, options.seed, findings)
    return 1 if total else 0


def _fuzz(name: str, count: int, seed: int, findings: Path) -> int:
    """All inputs of one target; prints its row of the table and returns how many were findings."""
    target, began = TARGETS[name], time.perf_counter()
    outcomes, kinds = [], collections.Counter()
    for number in range(count):
        content = target.make(Random(f"{name} {seed} {number}"))
        # Compiled code that never comes back ends the program, saying where.
        faulthandler.dump_traceback_later(12 * MAX_S, exit=True, file=sys.__stderr__)
        outcome = watched(target, content)
        faulthandler.cancel_dump_traceback_later()
        outcomes.append(outcome)
        if outcome.problem:
            kind = outcome.problem.partition(": ")[0]
            kinds[kind] += 1
            if kinds[kind] <= PER_PROBLEM:
                _keep(findings / f"{name.replace(' ', '-')}-{seed}-{number}", content, outcome)
    found = sum(bool(outcome.problem) for outcome in outcomes)
    print(
        f"{name:<14}{count:>8}{sum(outcome.refused for outcome in outcomes):>9}{time.perf_counter() - began:>9.0f}"
        f"{max((outcome.seconds for outcome in outcomes), default=0):>11.2f}"
        f"{max((outcome.grown for outcome in outcomes), default=0) / 2**20:>9.0f}{found:>10}",
        flush=True,
    )
    for kind, times in kinds.most_common():
        print(f"    {times} x {kind}", flush=True)
    return found


def _keep(folder: Path, content: Input, outcome: Outcome) -> None:
    write(folder / "input", content)
    (folder / "problem.txt").write_text(outcome.problem + "\n", encoding="utf-8", errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
