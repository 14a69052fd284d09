"""Verifies recorded results: what is wrong with them as they stand, and what comes out again."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mlp.lab import again, store, summary
from mlp.lab.again import Job
from mlp.lab.compare import SAME, Line
from mlp.lab.recorded import WHOLE, Recorded, cost
from mlp.log import LogError
from mlp.messages import line
from mlp.settings import SettingsError

SHARE = 0.75  # of the time that is given: the rest is for reading data, and for slower machines
DAMAGES = LogError, SettingsError, OSError
DAMAGED = "cannot be read"
OF_CODE = re.compile(r"[^:]+: code\.[\w.]+ differs")  # what renewing mends


class Verdict(NamedTuple):
    """What was found on the results of one name."""

    name: str
    jobs: list[Job]  # that were run again
    faults: list[str]
    lines: list[Line]

    @property
    def agrees(self) -> bool:
        """Whether there is nothing to object to."""
        return not self.faults and all(of.agrees for of in self.lines)


def plan(results: Mapping[str, Recorded], seconds: float) -> dict[str, list[Job]]:
    """What to run again in so many seconds: what is cheap wholly, of the rest the first epochs.

    What the cheap ones leave is shared evenly; of each, something is run again.
    """
    whole = {name: of.jobs(WHOLE) for name, of in results.items()}
    chosen = {}
    for done, name in enumerate(sorted(whole, key=lambda name: cost(whole[name]))):
        share = seconds / (len(whole) - done)
        affordable = cost(whole[name]) <= share
        chosen[name] = whole[name] if affordable else results[name].part(share)
        seconds -= cost(chosen[name])
    return chosen


def verify(
    results: Mapping[str, Recorded],
    *,
    epochs: int = WHOLE,
    seconds: float = math.inf,
    at_once: int = 1,
) -> Iterator[Verdict]:
    """Run results again, the first epochs or as far as the seconds go, and yield verdicts.

    So many runs at once. What was never recorded is not run again.
    """
    faults = {name: _faults(of) for name, of in results.items()}
    there = {name: of for name, of in results.items() if not _missing(faults[name])}
    if seconds < math.inf:
        jobs = plan(there, seconds * at_once * SHARE)
    else:
        jobs = {name: of.jobs(epochs) for name, of in there.items()}
    distinct = list(dict.fromkeys(job for of in jobs.values() for job in of))
    came = dict(zip(distinct, again.run_all(distinct, at_once), strict=True))
    for name, of in results.items():
        again_ = jobs.get(name, [])
        try:
            lines = of.lines(again_, came) if again_ else []
        except DAMAGES as error:
            lines = [Line("files", False, line(str(error)))]
        yield Verdict(name, again_, faults[name], lines)


def _faults(of: Recorded) -> list[str]:
    """What is wrong with results as they stand; where a file cannot be read, that alone."""
    try:
        return of.faults()
    except DAMAGES as error:
        return [f"{DAMAGED}: {line(str(error))}"]


def _missing(faults: list[str]) -> bool:
    return any("not recorded" in fault or fault.startswith(DAMAGED) for fault in faults)


def describe(verdict: Verdict, *, renewed: bool) -> str:
    """What was found, the end of it first: a line each."""
    end = "renewed" if renewed else "agrees" if verdict.agrees else "disagrees"
    epochs = sum(job.epochs for job in verdict.jobs)
    said = [f"{verdict.name}: {len(verdict.jobs)} runs again, {epochs} epochs in all; {end}"]
    said += [f"  {fault}" for fault in verdict.faults]
    for of in verdict.lines:
        said.append(f"  {of.what:13} {'' if of.agrees else 'disagrees: '}{of.says}")
    return "\n".join(said)


def renewable(verdict: Verdict, of: Recorded) -> bool:
    """Whether nothing but the code differs, and all came out again bit for bit."""
    only_code = all(OF_CODE.fullmatch(fault) for fault in verdict.faults)
    alike = all(of.says == SAME for of in verdict.lines)
    return bool(verdict.faults) and only_code and alike and verdict.jobs == of.jobs(WHOLE)


def renew(of: Recorded) -> None:
    """Let results name the code of now, which gives them bit for bit."""
    for folder, about in of.described().items():
        said = summary.read(folder)
        for key in ("files", "seal"):
            del said[key]
        store.write_yaml(folder / "settings.yml", about)
        summary.write(folder, said | about)
