import dataclasses
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from mlp import gradcheck, log
from mlp.__main__ import main
from mlp.data import ROOT
from mlp.lab import experiment, store
from mlp.settings import Settings
from tests.conftest import EXPERIMENT, changed


def write(folder, text, name="small.yml"):
    path = folder / name
    path.write_text(text)
    return str(path)


def test_every_command_has_a_help_that_says_what_it_does(capsys):
    for command in ("data", "train", "search", "verify", "check", "bench"):
        with pytest.raises(SystemExit) as exit_:
            main([command, "--help"])
        assert exit_.value.code == 0
        text = capsys.readouterr().out
        assert len(text.split("options:")[0].split()) > 30


def test_the_help_of_train_says_of_every_key_what_it_means_and_may_be(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    keys = capsys.readouterr().out.split("Keys of the file")[1]
    for key in (*experiment.RULES, "average"):
        assert re.search(rf"^  {key} ", keys, re.MULTILINE)
    for setting in dataclasses.fields(Settings):
        said = f"  {setting.name:12} {setting.metadata['means']}\n"
        assert (said in keys) == (setting.name != "seed")  # the file has seeds
    assert "a whole number >= 1 and < 2^31 (default: 100)" in keys


def test_train_writes_results_and_says_what_was_chosen(tmp_path, capsys):
    path = write(tmp_path, EXPERIMENT)
    assert main(["train", path, "--results", str(tmp_path / "results")]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2
    assert re.search(r"seed-3: epoch \d chosen; train [\d.]+%, valid [\d.]+%, test [\d.]+%", out)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (changed(K=0), "K is 0; it must be a whole number >= 1"),
        (changed(eta=float("nan")), "eta is nan"),
        (changed(depth=2), "unknown key 'depth'"),
        (changed(valid=600), "sizes (-100, 600, 600) do not split 1100 examples"),
    ],
)
def test_bad_settings_give_one_line_and_status_2_and_nothing_is_written(
    tmp_path, capsys, text, says
):
    path = write(tmp_path, text)
    assert main(["train", path, "--results", str(tmp_path / "results")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("mlp train: ")
    assert says in err
    assert err.count("\n") == 1
    assert not (tmp_path / "results").exists()


def test_bad_search_file_gives_one_line_and_status_2(tmp_path, capsys):
    path = write(tmp_path, EXPERIMENT)
    assert main(["search", path, "--results", str(tmp_path / "results")]) == 2
    assert "search is None" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_a_backend_that_is_not_there_gives_one_line_and_status_2(tmp_path, capsys):
    text = changed(d_h=[2, 3], search={"method": "grid"})
    arguments = ["search", write(tmp_path, text), "--results", str(tmp_path / "r")]
    assert main([*arguments, "--backend", "abacus"]) == 2
    assert "backend is 'abacus'" in capsys.readouterr().err


def test_a_run_whose_loss_is_lost_keeps_its_log_and_says_where(tmp_path, capsys):
    path = write(tmp_path, changed(eta=1e200, seeds=[3]))
    assert main(["train", path, "--results", str(tmp_path / "results")]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert re.search(r"the loss is (nan|inf) in epoch \d+, minibatch \d+, with eta 1e\+200", err)
    folder = tmp_path / "results" / "small" / "seed-3"
    assert str(folder) in err
    log.read(folder / "log.csv")


def test_check_passes_on_a_right_gradient(capsys):
    assert main(["check", "--d", "3", "--d_h", "2", "--m", "4", "--K", "5", "--seed", "7"]) == 0
    out = capsys.readouterr().out
    assert "W2[4, 2]" in out
    assert "20 parameters, 0 disagree" in out  # 2·3 + 2 + 4·2 + 4
    assert "loop against matrix, 0 disagree" in out
    assert len(out.splitlines()) == 1 + 20 + 3


def test_check_fails_on_a_wrong_gradient(capsys, monkeypatch):
    from mlp import model

    right = model.bprop

    def wrong(params, act, y):
        grad = right(params, act, y)
        return grad._replace(b1=1.001 * grad.b1)

    monkeypatch.setattr(model, "bprop", wrong)
    assert main(["check"]) == 1
    assert "disagrees" in capsys.readouterr().out


def test_check_passes_on_a_right_gradient_of_many_examples(capsys):
    assert main(["check", "--d", "3", "--d_h", "2", "--m", "2", "--K", "20000"]) == 0
    assert "14 parameters, 0 disagree" in capsys.readouterr().out


def test_check_fails_on_a_loop_that_leaves_one_example_of_many_out(capsys, monkeypatch):
    from mlp import loop

    right = loop.bprop
    monkeypatch.setattr(loop, "bprop", lambda params, x, y: right(params, x[:, 1:], y[1:]))
    assert main(["check", "--d", "3", "--d_h", "2", "--m", "2", "--K", "20000"]) == 1
    out = capsys.readouterr().out
    assert "14 parameters, 0 disagree" in out
    assert re.search(r"loop against matrix, 1?\d disagree", out)


@pytest.mark.parametrize(
    "arguments", [["--d", "0"], ["--K", "two"], ["--epsilon", "0.1"], ["--seed", "-1"]]
)
def test_check_refuses_bad_shapes_with_status_2(arguments, capsys):
    try:
        status = main(["check", *arguments])
    except SystemExit as exit_:
        status = exit_.code
    assert status == 2
    assert arguments[1] in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(tmp_path):
    path = write(tmp_path, changed(seeds=[3], epochs=4000, K=10))
    command = [sys.executable, "-m", "mlp", "train", path, "--results", str(tmp_path / "results")]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=os.environ)
    file = tmp_path / "results" / "small" / "seed-3" / "log.csv"
    while not (file.exists() and file.read_text().count("\n") > 3):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted; the same command goes on" in err.splitlines()[-1]
    assert "Traceback" not in err
    state, _ = store.restore(file.with_name("checkpoint.npz"))
    assert len(log.read(file)) == state.epoch
    assert gradcheck.distance_to_kink(state.params, [[0.1], [0.2]]) > 0


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("K", "1" + "0" * 30, "K is 1"),
        ("eta", "1" + "0" * 400, "eta is 1"),
        ("K", "2020-99-99", "not YAML: month must be"),
    ],
)
def test_numbers_and_dates_out_of_all_bounds_are_one_line(tmp_path, capsys, key, value, said):
    path = write(tmp_path, changed(**{key: value}).replace("'", ""))
    assert main(["train", path, "--results", str(tmp_path / "results")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "results").exists()


def test_results_that_cannot_be_written_are_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert main(["train", write(tmp_path, EXPERIMENT), "--results", str(tmp_path / "file")]) == 2
    error = capsys.readouterr().err
    assert str(tmp_path / "file") in error
    assert "mend the path" in error
    assert error.count("\n") == 1


def test_a_network_too_large_for_the_memory_is_one_line(capsys, monkeypatch):
    def allocate(*_):
        raise MemoryError("Unable to allocate 7.28 TiB")

    monkeypatch.setattr("mlp.model.init", allocate)
    assert main(["check"]) == 2
    assert capsys.readouterr().err == "mlp check: Unable to allocate 7.28 TiB; choose less\n"


@pytest.mark.parametrize("size", ["--d", "--d_h", "--m", "--K"])
def test_a_check_that_would_take_hours_is_refused_at_once(capsys, size):
    assert main(["check", size, "1000000000000"]) == 2
    error = capsys.readouterr().err
    assert "take too long; choose smaller" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["data", "extra"], "unrecognized arguments: extra"),
        (["train"], "the following arguments are required: experiment"),
        (["search", "a.yml", "--jobs", "0"], "argument --jobs: '0' is not a whole number >= 1"),
        (["check", "--epsilon", "x"], "argument --epsilon: invalid float value: 'x'"),
    ],
)
def test_bad_arguments_give_one_line_that_names_the_help(capsys, arguments, says):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.endswith(" --help\n")
    assert error.count("\n") == 1
