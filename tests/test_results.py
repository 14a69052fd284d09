"""The committed results: each belongs to the code, the data and the settings of this checkout."""

import functools

from mlp import data
from mlp.bench import suite
from mlp.data import ROOT, DataError
from mlp.lab import ensemble, evidence, experiment, search, space
from mlp.lab.ensemble import Average

RESULTS = ROOT / "results"
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yml"))
SEARCHES = sorted((ROOT / "experiments" / "searches").glob("*.yml"))


@functools.lru_cache(maxsize=1)
def load(name, valid, standardize, refit):
    splits = data.load(name, valid=valid, seed=0, may_download=False)
    return experiment.prepared(splits, standardize=standardize, refit=refit)


def splits_of(of):
    """The data of an experiment, or None where they are not at hand."""
    try:
        return load(of.data, of.valid, of.standardize, of.refit)
    except DataError:
        return None


def faults_of(path):
    if path in SEARCHES:
        of = space.load(path)
        splits = search.as_read(of) if all(map(data.find, data.FASHION_MNIST)) else None
        return evidence.of_search(of, RESULTS / "searches", splits)
    of = ensemble.load(path)
    if isinstance(of, Average):
        return evidence.of_average(of, RESULTS, splits_of(of.of))
    return evidence.of_experiment(of, RESULTS, splits_of(of))


def test_every_committed_result_belongs_to_its_code_its_data_and_its_settings():
    faults = [
        f"{path.stem}, {fault}" for path in EXPERIMENTS + SEARCHES for fault in faults_of(path)
    ]
    assert not faults, "\n".join(faults)


def test_the_tables_of_times_belong_to_the_code_that_they_time():
    assert suite.stale(RESULTS / "bench") == []


def test_searches_choose_by_three_seeds_at_least():
    assert SEARCHES
    for path in SEARCHES:
        assert len(space.load(path).seeds) >= 3


def test_recorded_runs_have_five_seeds_that_have_chosen_nothing():
    of_searches = {seed for path in SEARCHES for seed in space.load(path).seeds}
    for path in EXPERIMENTS:
        of = ensemble.load(path)
        if not isinstance(of, Average):
            assert len(of.seeds) >= 5
            assert not of_searches & set(of.seeds)


def test_the_protocol_names_every_search_and_experiment():
    protocol = (ROOT / "experiments" / "README.md").read_text()
    for path in EXPERIMENTS + SEARCHES:
        name = path.relative_to(ROOT / "experiments").with_suffix("").as_posix()
        assert f"`{name}`" in protocol
