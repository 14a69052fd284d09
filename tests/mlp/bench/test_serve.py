import io
import json
import math

from mlp.bench import serve


def clocked(monkeypatch):
    """A method that takes 1/1024 s for an example, and its clock; the numbers it was run for."""
    clock, runs = [0.0], []

    def run(n):
        runs.append(n)
        clock[0] += n / 1024

    monkeypatch.setattr(serve.time, "perf_counter", lambda: clock[0])
    return run, runs


def test_a_slow_epoch_is_measured_in_whole_minibatches(monkeypatch):
    run, _ = clocked(monkeypatch)
    assert serve.fraction(run, 100, 54_000, 1.0) == 1000
    assert serve.fraction(run, 1000, 54_000, 0.1) == 1000
    assert serve.fraction(run, 10, 54_000, 0.333) == 340
    assert serve.fraction(run, 10, 500, 1.0) == 500
    assert serve.fraction(run, 10, 54_000, math.inf) == 54_000


def test_no_number_of_examples_is_timed_before_it_was_tried(monkeypatch):
    run_for, clock = [], [0.0]
    starts = []  # how many runs there had been when a clock was read

    def perf_counter():
        starts.append(len(run_for))
        clock[0] += 0.05
        return clock[0]

    monkeypatch.setattr(serve.time, "perf_counter", perf_counter)
    examples = serve.fraction(run_for.append, 10, 54_000, 0.21)
    assert examples in run_for
    assert len(starts) >= 2
    for start in starts[::2]:
        assert run_for[start] in run_for[:start]


def test_each_case_is_prepared_once_and_answered_as_often_as_it_is_asked(monkeypatch, capsys):
    run, runs = clocked(monkeypatch)
    prepared = []

    def prepare(case):
        prepared.append(case["d_h"])
        return run

    asked = [[{"K": 10, "d_h": d_h}, 0.5] for d_h in (3, 3, 4)]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(json.dumps(a) + "\n" for a in asked)))
    serve.serve(prepare, 5000)
    ready, *answers = map(json.loads, capsys.readouterr().out.splitlines())
    assert ready == "ready"
    assert prepared == [3, 4]
    assert answers == [[510, 510 / 1024]] * 3
    assert runs[-1] == 510
