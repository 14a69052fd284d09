import dataclasses
import math
import multiprocessing
import time

import numpy as np
import pytest

from mlp import fast, train
from mlp.__main__ import main
from mlp.data import DataError
from mlp.lab import experiment, origin, search, space, store, summary
from mlp.lab.search import Final, Row, Task
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
    rows = search.read(folder / "trials.csv", Row, halving.open)
    assert [row[:3] for row in rows if row.round == 1] == [(1, trial, 1) for trial in range(9)]
    assert [sum(row.round == r for row in rows) for r in (1, 2, 3)] == [9, 3, 1]
    last = rows[-1]
    straight = search.advance(halving.trials[last.trial], Task(last.trial, 0, None, 9)).state
    assert straight.chosen[:1] + straight.chosen[3:5] == last[3:]
    assert names(folder) == ["best.yml", "settings.yml", "summary.yml", "trials.csv"]
    best = experiment.load(folder / "best.yml")
    assert best.settings == halving.trials[last.trial].settings
    assert search.table(folder)[0]["trial"] == last.trial
    assert [row["epochs"] for row in search.table(folder, until=1)] == [1] * 9


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_the_summary_says_what_was_chosen_at_what_expense_and_what_it_depends_on(tmp_path):
    halving = space.parse(SEARCH, "halving")
    folder = search.run(halving, tmp_path)
    said = summary.read(folder)
    best = search.table(folder)[0]
    assert said["chosen"]["trial"] == best["trial"]
    assert said["chosen"]["valid_error"] == best["valid_error"]
    assert said["epochs"] == 9 * 1 + 3 * 2 + 1 * 6
    assert 0 < said["seconds"] < 100
    assert said["code"] == origin.code(origin.TRAINING)
    assert set(said["arrays"]) == {"train", "valid", "test"}
    assert summary.edited(folder) == []


def test_no_epoch_is_trained_twice(tmp_path, monkeypatch):
    calls, advance = [], search.advance

    def spy(trial, task):
        calls.append((task.state.epoch if task.state else 0, task.until))
        return advance(trial, task)

    monkeypatch.setattr(search, "advance", spy)
    search.run(space.parse(SEARCH, "halving"), tmp_path)
    assert calls == [(0, 1)] * 9 + [(1, 3)] * 3 + [(3, 9)]


# --- test examples have no part in it ------------------------------------------------------------


def test_a_search_trains_without_test_examples_and_has_no_figures_of_them(tmp_path, monkeypatch):
    seen, fit = [], search.train.fit

    def spy(splits, *arguments, **keywords):
        seen.append([len(part.y) for part in splits])
        return fit(splits, *arguments, **keywords)

    monkeypatch.setattr(search.train, "fit", spy)
    folder = search.run(space.parse(altered(**FINALS), "finals"), tmp_path)
    assert len(seen) == 9 + 3 + 1 + 2
    assert seen == [[700, 200, 0]] * len(seen)
    for name in names(folder):
        assert "test_" not in (folder / name).read_text()


def test_without_test_examples_the_other_figures_are_the_same():
    trial = space.parse(SEARCH, "halving").trials[0]
    *_, (with_test, _) = train.fit(trial.splits(), trial.settings, engine=fast.Steps)
    chosen = search.advance(trial, Task(0, 0, None, 9)).state.chosen
    record = next(
        record
        for record, _ in train.fit(trial.splits(), trial.settings, engine=fast.Steps)
        if record.epoch == chosen.epoch
    )
    assert record[:5] == chosen[:5]
    assert math.isnan(chosen.test_error)
    assert not math.isnan(with_test.test_error)


# --- several seeds -------------------------------------------------------------------------------

FINALS = {"seeds": [0, 4, 2]}


def test_finalists_are_run_with_every_seed_and_the_best_mean_is_chosen(tmp_path):
    of = space.parse(altered(**FINALS, search=search_for(27)), "finals")
    folder = search.run(of, tmp_path)
    rows = search.read(folder / "trials.csv", Row, of.open)
    last = [row for row in rows if row.round == 3]
    finals = search.read(folder / "finals.csv", Final, of.open)
    assert [final[:2] for final in finals] == [(r.trial, seed) for r in last for seed in (0, 2, 4)]
    for final in finals:
        trial = of.trials[final.trial]
        alone = search.advance(trial, Task(final.trial, final.seed, None, 9)).state
        assert final[2:] == (alone.epoch, alone.chosen.epoch, *alone.chosen[3:5])
    mean = {
        row.trial: np.mean([f.valid_error for f in finals if f.trial == row.trial]) for row in last
    }
    best = min(mean, key=lambda trial: (mean[trial], trial))
    in_order = search.finalists(folder)
    assert [row["trial"] for row in in_order] == sorted(mean, key=lambda t: (mean[t], t))
    assert in_order[0]["valid_error"] == pytest.approx(mean[best])
    assert experiment.load(folder / "best.yml") == dataclasses.replace(of.trials[best], name="best")
    assert summary.read(folder)["epochs"] == 27 + 9 * 2 + 3 * 6 + 3 * 2 * 9


def search_for(trials):
    return {"method": "random", "trials": trials, "seed": 1, "first": 1, "factor": 3}


def test_a_mean_leaves_out_what_diverged_with_any_seed_and_ties_go_to_the_earlier_trial():
    errors = {3: (0.2, 0.4), 1: (0.3, 0.3), 2: (0.1, math.nan), 0: (0.5, 0.5)}
    finals = [
        Final(trial, seed, 9, 9, error, 0.0)
        for trial, of in errors.items()
        for seed, error in enumerate(of)
    ]
    assert [mean.trial for mean in search.means(finals)] == [1, 3, 0]
    assert search.means(finals)[1].deviation == pytest.approx(0.2 / math.sqrt(2))
    assert math.isnan(search.means(finals[:1])[0].deviation)


# --- searches that survive -----------------------------------------------------------------------


@pytest.mark.parametrize("lines", [1, 5, 10, 12, 15, 17])
def test_interrupted_anywhere_a_search_ends_with_the_same_tables(tmp_path, monkeypatch, lines):
    of = space.parse(altered(**FINALS), "halving")
    whole = search.run(of, tmp_path / "whole")
    folder, write = tmp_path / "crashed" / "halving", search.Log.write

    def write_and_crash(log, row):
        write(log, row)
        if written(folder) > lines:
            raise RuntimeError("crash")

    monkeypatch.setattr(search.Log, "write", write_and_crash)
    with pytest.raises(RuntimeError, match="crash"):
        search.run(of, tmp_path / "crashed")
    monkeypatch.undo()
    for path in tables(folder):
        with path.open("a") as table:
            table.write("1,8,1,")  # what a kill may leave
    search.run(of, tmp_path / "crashed")
    for name in ("trials.csv", "finals.csv", "best.yml", "settings.yml"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()


def tables(folder):
    return [path for name in ("trials", "finals") if (path := folder / f"{name}.csv").exists()]


def written(folder):
    return sum(path.read_text().count("\n") for path in tables(folder))


@pytest.fixture(scope="module")
def forkserver():
    """Processes that start at once, with the imports done."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mlp.lab.search"])
    return context


def test_killed_at_random_moments_a_search_ends_with_the_same_tables(tmp_path, forkserver):
    of = space.parse(altered(**FINALS, epochs=90, search=search_for(9)), "finals")
    whole = search.run(of, tmp_path / "whole")
    folder, rng, reached = tmp_path / "killed" / "finals", np.random.default_rng(0), set()

    for kill in range(8):
        process = forkserver.Process(target=search.run, args=(of, tmp_path / "killed"))
        process.start()
        while written(folder) < 2 * kill and process.is_alive():  # however fast the machine is now
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        process.join()
        reached.add(written(folder))
    assert len(reached) > 2  # it was killed in different places, however slow the machine
    search.run(of, tmp_path / "killed")
    for name in ("trials.csv", "finals.csv", "best.yml", "settings.yml"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
    said, expected = summary.read(folder), summary.read(whole)
    assert (said["chosen"], said["epochs"]) == (expected["chosen"], expected["epochs"])


def test_a_row_in_the_table_has_a_state_on_disk_to_go_on_from(tmp_path, monkeypatch):
    folder, write, rows = tmp_path / "halving", search.Log.write, []

    def write_and_look(log, line):
        write(log, line)
        if line[0] != "round":
            row = Row(*line[: len(Row._fields)])
            state, _ = store.restore(folder / f"checkpoint-{row.trial}-seed-0.npz")
            assert state.epoch >= row.epochs
            rows.append(row)

    monkeypatch.setattr(search.Log, "write", write_and_look)
    search.run(space.parse(SEARCH, "halving"), tmp_path)
    assert {row.round for row in rows} == {1, 2, 3}


def test_a_damaged_table_of_trials_is_named_with_its_line(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text(",".join(Row._fields) + ",d_h\n1,0,1,1,0.5,0.5,3\n1,one,1,1,0.5,0.5,3\n")
    with pytest.raises(LogError, match=r"trials\.csv: line 3: .*'one'; it must hold numbers"):
        search.read(path, Row, ("d_h",))


def test_a_line_of_a_trial_that_the_search_does_not_have_is_refused(tmp_path):
    halving = space.parse(SEARCH, "halving")
    folder = search.run(halving, tmp_path)
    (folder / "summary.yml").unlink()
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
    """The table of finalists of a search, trial after trial."""
    of = space.parse(altered(**FINALS), "halving")
    return (search.run(of, tmp_path_factory.mktemp("alone")) / "finals.csv").read_bytes()


def test_processes_give_the_same_table(tmp_path, table):
    with search.workers("loky", 2):
        folder = search.run(space.parse(altered(**FINALS), "halving"), tmp_path)
    assert (folder / "finals.csv").read_bytes() == table


def test_a_dask_cluster_of_two_workers_gives_the_same_table(tmp_path, table, capsys):
    distributed = pytest.importorskip("distributed")
    path = tmp_path / "halving.yml"
    path.write_text(altered(**FINALS))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as cluster:
        command = ["search", str(path), "--results", str(tmp_path), "--backend", "dask"]
        assert main([*command, "--cluster", cluster.scheduler_address]) == 0
        with distributed.Client(cluster) as client:
            done = client.run(lambda dask_worker: dask_worker.state.executed_count)
    assert len(done) == 2
    assert all(done.values())
    assert (tmp_path / "halving" / "finals.csv").read_bytes() == table
    assert "best.yml" in capsys.readouterr().out
