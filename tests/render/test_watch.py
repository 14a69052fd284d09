import pytest

from literate.reader import parse
from render import watch


class StoppedError(Exception):
    """Ends the endless loop."""


class Desk:
    """What happens around the loop: a script of saves; what it did is in `done`."""

    def __init__(self, monkeypatch, inputs, steps=0, doubtful=(), renders=()):
        self.done = []
        self.inputs = iter(inputs)
        self.steps, self.doubtful, self.renders = steps, set(doubtful), [*renders]
        monkeypatch.setattr(watch, "_inputs", self.look)
        monkeypatch.setattr(watch, "_warm", self.warm)
        monkeypatch.setattr(watch.time, "sleep", lambda _: self.done.append("sleep"))
        with pytest.raises(StoppedError):
            watch.watch(self.render, self)

    def look(self):
        try:
            return next(self.inputs)
        except StopIteration:
            raise StoppedError from None

    def render(self):
        self.done.append("render")
        return self.renders.pop(0) if self.renders else True

    def warm(self, session):
        for step in range(self.steps):
            self.done.append(f"warm {step}")
            yield step
        self.doubtful.clear()


def test_each_save_is_rendered_once(monkeypatch):
    desk = Desk(monkeypatch, ["a", "a", "a", "b", "b"])
    assert desk.done == ["render", "sleep", "sleep", "render", "sleep"]


def test_in_between_cells_run_one_at_a_time(monkeypatch):
    desk = Desk(monkeypatch, ["a", "a", "a", "a"], steps=2)
    assert desk.done == ["render", "warm 0", "warm 1", "sleep"]


def test_a_save_stops_what_runs_in_between(monkeypatch):
    desk = Desk(monkeypatch, ["a", "a", "b", "b"], steps=2)
    assert desk.done == ["render", "warm 0", "render", "warm 0"]


def test_what_was_doubtful_is_rendered_again_once_a_new_kernel_has_run_it(monkeypatch):
    desk = Desk(monkeypatch, ["a", "a", "a", "a"], steps=1, doubtful={"key"})
    assert desk.done == ["render", "warm 0", "render", "sleep", "sleep"]


def test_after_a_fault_the_next_save_is_waited_for(monkeypatch):
    desk = Desk(monkeypatch, ["a", "a", "b"], steps=1, renders=[False, False])
    assert desk.done == ["render", "sleep", "render"]


def test_a_fault_ends_what_ran_in_between(monkeypatch):
    saves = ["a", "a", "b", "b"]
    desk = Desk(monkeypatch, saves, steps=2, doubtful={"key"}, renders=[True, False])
    assert desk.done == ["render", "warm 0", "render", "sleep"]


def test_a_file_that_is_away_for_a_moment_is_waited_for(monkeypatch):
    desk = Desk(monkeypatch, ["a", None, "a", "b"])
    assert desk.done == ["render", "sleep", "sleep", "render"]


def test_a_cell_that_raises_in_between_ends_that_and_no_more(monkeypatch, tmp_path):
    def fails():
        raise ValueError
        yield

    assert not watch._goes_on(fails())


def test_warming_runs_every_cell_of_the_report(monkeypatch):
    report = parse("`{python} 1`")

    class Session:
        def outputs(self, *arguments, warm, unchanged):
            assert arguments[0] is report
            assert warm
            assert unchanged()
            yield from "ab"

    monkeypatch.setattr(watch, "read", lambda path: report)
    assert list(watch._warm(Session())) == ["a", "b"]
