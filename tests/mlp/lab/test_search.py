import math

import pytest

from mlp.__main__ import main
from mlp.data import DataError
from mlp.lab import experiment, search, space, store
from mlp.lab.search import Row
from mlp.log import LogError
from tests.mlp.lab.conftest import SEARCH, altered


def test_data_that_cannot_be_split_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(DataError, match="do not split 1100 examples"):
        search.run(space.parse(altered(valid=600), "halving"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_halving_keeps_the_best_third_and_drops_what_diverged():
    errors = [0.5, math.nan, 0.2, 0.3, 0.2, 0.4, 0.9]
    rows = [Row(1, trial, 3, 1, error, 0.0) for trial, error in enumerate(errors)]
    assert search.survivors(rows, 3) == [2, 3, 4]
    assert search.survivors(rows, 7) == [2]


def test_later_rounds_go_on_where_earlier_ones_ended(tmp_path):
    halving = space.parse(SEARCH, "halving")
    assert halving.rounds == (1, 3, 9)
    folder = search.run(halving, tmp_path)
    rows = search.read(folder / "trials.csv", halving.open)
    assert [row[:3] for row in rows if row.round == 1] == [(1, trial, 1) for trial in range(9)]
    assert [sum(row.round == r for row in rows) for r in (1, 2, 3)] == [9, 3, 1]
    last = rows[-1]
    straight = search.advance(halving.experiment, halving.trials[last.trial], None, 9)
    assert straight.chosen[:1] + straight.chosen[3:5] == last[3:]
    assert sorted(p.name for p in folder.iterdir() if p.name != ".lock") == [
        "best.yml", "settings.yml", "trials.csv",
    ]  # fmt: skip
    best = experiment.load(folder / "best.yml")
    assert best.run_settings(0) == halving.trials[search.best(rows).trial]
    assert search.table(folder)[0]["trial"] == last.trial
    assert [row["epochs"] for row in search.table(folder, until=1)] == [1] * 9


def test_no_epoch_is_trained_twice(tmp_path, monkeypatch):
    calls, advance = [], search.advance

    def spy(of, settings, state, until):
        calls.append((state.epoch if state else 0, until))
        return advance(of, settings, state, until)

    monkeypatch.setattr(search, "advance", spy)
    search.run(space.parse(SEARCH, "halving"), tmp_path)
    assert calls == [(0, 1)] * 9 + [(1, 3)] * 3 + [(3, 9)]


def test_test_error_is_not_in_the_table(tmp_path):
    folder = search.run(space.parse(SEARCH, "halving"), tmp_path)
    assert not any("test" in name for row in search.table(folder) for name in row)


@pytest.mark.parametrize("lines", [1, 5, 10, 12])
def test_interrupted_anywhere_a_search_ends_with_the_same_table(tmp_path, monkeypatch, lines):
    halving = space.parse(SEARCH, "halving")
    whole = search.run(halving, tmp_path / "whole")
    folder, write = tmp_path / "crashed" / "halving", search.Log.write

    def write_and_crash(log, row):
        write(log, row)
        table = folder / "trials.csv"
        if table.exists() and table.read_text().count("\n") > lines:
            raise RuntimeError("crash")

    monkeypatch.setattr(search.Log, "write", write_and_crash)
    with pytest.raises(RuntimeError, match="crash"):
        search.run(halving, tmp_path / "crashed")
    monkeypatch.undo()
    with (folder / "trials.csv").open("a") as table:
        table.write("1,8,1,")  # what a kill may leave
    search.run(halving, tmp_path / "crashed")
    for name in ("trials.csv", "best.yml", "settings.yml"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()


def test_a_row_in_the_table_has_a_state_on_disk_to_go_on_from(tmp_path, monkeypatch):
    folder, write, rows = tmp_path / "halving", search.Log.write, []

    def write_and_look(log, line):
        write(log, line)
        if line[0] != "round":
            row = Row(*line[: len(Row._fields)])
            state, _ = store.restore(folder / f"checkpoint-{row.trial}.npz")
            assert state.epoch >= row.epochs
            rows.append(row)

    monkeypatch.setattr(search.Log, "write", write_and_look)
    search.run(space.parse(SEARCH, "halving"), tmp_path)
    assert {row.round for row in rows} == {1, 2, 3}


def test_a_damaged_table_of_trials_is_named_with_its_line(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text(",".join(Row._fields) + ",d_h\n1,0,1,1,0.5,0.5,3\n1,one,1,1,0.5,0.5,3\n")
    with pytest.raises(LogError, match=r"trials\.csv: line 3: .*'one'; it must hold numbers"):
        search.read(path, ("d_h",))


def test_a_line_of_a_trial_that_the_search_does_not_have_is_refused(tmp_path):
    halving = space.parse(SEARCH, "halving")
    folder = search.run(halving, tmp_path)
    (folder / "best.yml").unlink()
    with (folder / "trials.csv").open("a") as table:
        table.write("1,99,1,1,0.5,0.5,2,0.1\n")
    with pytest.raises(LogError, match=r"trials\.csv: trial 99 is none of this search"):
        search.run(halving, tmp_path)


def test_a_search_in_which_all_diverge_says_so(tmp_path):
    wild = space.parse(altered(eta=[1e200, 1e201], search={"method": "grid"}), "wild")
    with pytest.raises(search.DivergedError, match=r"all trials diverged; lower eta in wild\.yml"):
        search.run(wild, tmp_path)
    tame = space.parse(altered(eta=[0.1, 0.3], search={"method": "grid"}), "wild")
    folder = search.run(tame, tmp_path)
    assert {trial["eta"] for trial in search.table(folder)} == {0.1, 0.3}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The table of a search, trial after trial."""
    folder = search.run(space.parse(SEARCH, "halving"), tmp_path_factory.mktemp("alone"))
    return (folder / "trials.csv").read_bytes()


def test_processes_give_the_same_table(tmp_path, table):
    with search.workers("loky", 2):
        folder = search.run(space.parse(SEARCH, "halving"), tmp_path)
    assert (folder / "trials.csv").read_bytes() == table


def test_a_dask_cluster_of_two_workers_gives_the_same_table(tmp_path, table, capsys):
    distributed = pytest.importorskip("distributed")
    path = tmp_path / "halving.yml"
    path.write_text(SEARCH)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        command = ["search", str(path), "--results", str(tmp_path), "--backend", "dask"]
        assert main([*command, "--cluster", cluster.scheduler_address]) == 0
        with distributed.Client(cluster) as client:
            done = client.run(lambda dask_worker: dask_worker.state.executed_count)
    assert len(done) == 2
    assert all(done.values())
    assert (tmp_path / "halving" / "trials.csv").read_bytes() == table
    assert "best.yml" in capsys.readouterr().out
