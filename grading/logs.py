"""The logs of a submission's recorded runs, read as data."""

from pathlib import Path

from mlp import log
from mlp.log import LogError
from mlp.train import Record

LARGEST = 2**24  # bytes of a file that is read here


def regular(folder: Path, name: str) -> Path | None:
    """A file of a submission, if it is one, of bounded size, and no part of its path a link."""
    path = folder.resolve() / name
    if not path.is_file() or path.resolve() != path or path.stat().st_size > LARGEST:
        return None
    return path


def runs(folder: Path, results: str) -> dict[int, list[Record]]:
    """The log of each run in results/NAME/seed-S/, by seed. Raises LogError if one is broken."""
    found = {}
    for run in sorted((folder.resolve() / results).glob("seed-*")):
        seed = run.name.removeprefix("seed-")
        path = regular(folder, f"{results}/{run.name}/log.csv")
        if path and seed.isdecimal():
            found[int(seed)] = _read(path, f"{results}/{run.name}")
    if not found:
        raise LogError(f"{results}: no seed-S/log.csv is there")
    return dict(sorted(found.items()))


def _read(path: Path, name: str) -> list[Record]:
    try:
        records = log.read(path)
    except LogError as error:
        raise LogError(f"{name}/{str(error).removeprefix(str(path.parent) + '/')}") from error
    if not records:
        raise LogError(f"{name}/log.csv: no epochs")
    return records
