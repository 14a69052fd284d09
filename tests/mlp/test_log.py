import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp import log
from mlp.log import Log, LogError
from mlp.train import Record

RECORDS = [Record(1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6), Record(2, 1 / 3, 2e-17, 0.3, 4.0, 0.5, 0.6)]
HEADER = "epoch,train_error,train_loss,valid_error,valid_loss,test_error,test_loss\n"


@given(st.lists(st.tuples(*[st.floats(allow_nan=False)] * 6), max_size=4))
def test_records_come_back_bit_for_bit(tmp_path_factory, figures):
    path = tmp_path_factory.mktemp("log") / "log.csv"
    records = [Record(epoch, *six) for epoch, six in enumerate(figures, start=1)]
    with Log(path, Record._fields) as file:
        for record in records:
            file.write(record)
    assert log.read(path) == records


def test_header_says_what_the_columns_are_and_each_line_is_there_at_once(tmp_path):
    path = tmp_path / "log.csv"
    with Log(path, Record._fields) as file:
        assert path.read_text() == HEADER
        file.write(RECORDS[0])
        assert path.read_text() == HEADER + "1,0.1,0.2,0.3,0.4,0.5,0.6\n"
    assert [p.name for p in tmp_path.iterdir()] == ["log.csv"]


def test_going_on_keeps_the_lines_that_are_asked_for(tmp_path):
    path = tmp_path / "log.csv"
    with Log(path, Record._fields, RECORDS):
        pass
    with Log(path, Record._fields, log.read(path)[:1]) as file:
        file.write(RECORDS[1]._replace(train_loss=9.0))
    assert log.read(path) == [RECORDS[0], RECORDS[1]._replace(train_loss=9.0)]


def test_unfinished_last_line_is_passed_over(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "1,0.1,0.2,0.3,0.4,0.5,0.6\n2,0.33,0.1")
    assert log.read(path) == RECORDS[:1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1 is ''"),
        ("epoch,error\n", "line 1 is 'epoch,error'; it must be 'epoch,train_error"),
        (HEADER + "1,2,3\n", "line 2 has 3 fields; it must have 7"),
        (HEADER + "1,2,3,4,5,6,x\n", "line 2: could not convert string to float: 'x'"),
        (HEADER + "2,0,0,0,0,0,0\n", "line 2 is epoch 2; it must be 1"),
    ],
)
def test_damaged_log_is_named_with_its_line(tmp_path, text, says):
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(LogError) as error:
        log.read(path)
    assert str(error.value).startswith(f"{path}: {says}")


def test_a_log_that_is_missing_or_not_text_is_named(tmp_path):
    path = tmp_path / "log.csv"
    with pytest.raises(LogError, match=r"log\.csv: cannot be read"):
        log.read(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(LogError, match=r"log\.csv: cannot be read"):
        log.read(path)


def test_a_log_that_cannot_be_started_leaves_the_old_one_and_nothing_beside(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("as it was\n")

    def lost():
        yield ["1"]
        raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        log.Log(path, ["epoch"], lost())
    assert path.read_text() == "as it was\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_log_is_not_written_through_a_link_that_waits_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(log.files.secrets, "token_hex", lambda n: "guessed")
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "log.csv.guessed.tmp").symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        log.Log(tmp_path / "log.csv", ["epoch"])
    assert (tmp_path / "victim").read_text() == "precious"
