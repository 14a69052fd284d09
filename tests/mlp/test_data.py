import functools
import gzip
import http.server
import threading

import numpy as np
import pytest

from mlp import data
from mlp.data import DataError

SHARED = data.ROOT.parent / "shared" / "data"


def idx(array, header=b"\0\0\x08"):
    sizes = b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    return gzip.compress(header + bytes([array.ndim]) + sizes + array.astype(np.uint8).tobytes())


# --- two circles -----------------------------------------------------------------------------


def test_circles_are_evenly_spaced_on_two_radii():
    X, y = data.generate_circles()
    assert X.shape == (1100, 2)
    for c, radius in ((0, 1.0), (1, 0.8)):
        points = X[y == c]
        np.testing.assert_allclose(np.hypot(*points.T), radius, rtol=1e-15)
        angles = np.sort(np.arctan2(points[:, 1], points[:, 0]))
        np.testing.assert_allclose(np.diff(angles), 2 * np.pi / 550, rtol=1e-9)
    assert 0.3 < y[:550].mean() < 0.7  # shuffled


@pytest.mark.skipif(not (SHARED / "circles.txt").is_file(), reason="no course file beside")
def test_generated_circles_are_the_points_of_the_course_file():
    assert data.same_points(data.generate_circles(), data.read_circles(SHARED / "circles.txt"))


def test_the_same_points_in_another_order_change_nothing(tmp_path, monkeypatch):
    ours = data.generate_circles()
    monkeypatch.setenv("MLP_DATA", str(tmp_path))
    other = np.column_stack(ours)[::-1]
    np.savetxt(tmp_path / "circles.txt", other, fmt="%.12f")
    np.testing.assert_array_equal(data.circles().X, ours.X)
    np.testing.assert_array_equal(data.circles().y, ours.y)
    for row, column, value in ((0, 2, 1 - other[0, 2]), (3, 1, other[3, 1] + 1e-6)):
        changed = other.copy()
        changed[row, column] = value
        np.savetxt(tmp_path / "circles.txt", changed, fmt="%.12f")
        np.testing.assert_allclose(data.circles().X, changed[:, :2], atol=1e-9)
    np.savetxt(tmp_path / "circles.txt", other[:-1], fmt="%.12f")
    assert len(data.circles().y) == len(ours.y) - 1


def test_circles_file_in_mlp_data_takes_precedence(tmp_path, monkeypatch):
    (tmp_path / "circles.txt").write_text("0.5 0.25 1.0\n-0.5 0.75 0.0\n")
    monkeypatch.setenv("MLP_DATA", str(tmp_path))
    X, y = data.circles()
    np.testing.assert_array_equal(X, [[0.5, 0.25], [-0.5, 0.75]])
    np.testing.assert_array_equal(y, [1, 0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no points"), ("1 2\n", "2 columns"), ("1 2 x\n", "numbers"),
        ("1 2 3\n", "label 3"), ("nan 2 1\n", "nan"),
    ],
)  # fmt: skip
def test_bad_circles_file_is_named_with_its_fault(tmp_path, text, says):
    path = tmp_path / "circles.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=says) as error:
        data.read_circles(path)
    assert "circles.txt" in str(error.value)


def test_flipped_labels_are_about_as_many_as_asked_for():
    clean = data.generate_circles()
    noisy = data.flip_labels(clean, 0.1, np.random.default_rng(0))
    assert 0.07 < (noisy.y != clean.y).mean() < 0.13


# --- validation ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "y", "says"),
    [
        (np.zeros((3, 2)), [0, 1], "3 examples but 2 labels"),
        (np.zeros((2, 2)), [0, 3], "label 3 of example 1"),
        (np.zeros((2, 2)), [0, -1], "label -1 of example 1"),
        (np.zeros((2, 2)), [0, 0.5], r"label 0\.5 of example 1"),
        ([[0, 1], [np.inf, 0]], [0, 1], r"X\[1, 0\] is inf"),
        ([[0, np.nan], [0, 0]], [0, 1], r"X\[0, 1\] is nan"),
        (np.zeros(3), [0, 1, 1], r"shape \(3,\)"),
    ],
)
def test_unusable_data_are_refused_with_the_value(X, y, says):
    with pytest.raises(DataError, match=says):
        data.dataset(X, y, m=3)


# --- IDX files -------------------------------------------------------------------------------


def test_idx_file_comes_back_with_its_shape_and_values(tmp_path):
    path, values = tmp_path / "images.gz", np.arange(24).reshape(2, 3, 4)
    path.write_bytes(idx(values))
    np.testing.assert_array_equal(data.read_idx(path), values)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"plain text", "gzip"),
        (idx(np.arange(50))[:-12], "gzip"),
        (gzip.compress(b"hello world"), "not an IDX"),
        (idx(np.zeros(5), header=b"\0\0\x0d"), "not an IDX"),
        (gzip.compress(b"\0\0\x08\1\0\0\0\5abc"), "3 values follow"),
        (gzip.compress(b""), "not an IDX"),
    ],
)
def test_bad_idx_file_is_named_with_its_fault(tmp_path, content, says):
    path = tmp_path / "bad.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=says) as error:
        data.read_idx(path)
    assert "bad.gz" in str(error.value)


def test_file_with_another_checksum_is_refused(tmp_path, monkeypatch):
    name = "t10k-images-idx3-ubyte.gz"
    (tmp_path / name).write_bytes(idx(np.zeros(10)))
    monkeypatch.setenv("MLP_DATA", str(tmp_path))
    with pytest.raises(DataError, match=f"{name}: MD5 sum"):
        data.fashion_mnist("t10k")


def test_missing_file_without_download_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "folders", lambda: [tmp_path])
    with pytest.raises(DataError, match="make data"):
        data.fashion_mnist("t10k", may_download=False)


def test_failed_download_names_addresses_and_remedy_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "folders", lambda: [tmp_path])
    monkeypatch.setattr(data, "SOURCES", ("http://127.0.0.1:9/",))
    with pytest.raises(DataError, match=r"127\.0\.0\.1.*put the four"):
        data.download("t10k-labels-idx1-ubyte.gz")
    assert not list(tmp_path.iterdir())


def test_download_with_a_wrong_checksum_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    served, target = tmp_path / "served", tmp_path / "target"
    served.mkdir()
    (served / "t10k-labels-idx1-ubyte.gz").write_bytes(b"something else")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(served))
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(data, "SOURCES", (f"http://127.0.0.1:{server.server_port}/",))
        monkeypatch.setattr(data, "folders", lambda: [target])
        with pytest.raises(DataError, match="no download"):
            data.download("t10k-labels-idx1-ubyte.gz")
        server.shutdown()
    assert not list(target.iterdir())


# --- splits ----------------------------------------------------------------------------------


def test_splits_are_disjoint_complete_and_fixed_by_the_seed():
    whole = data.generate_circles()
    parts = data.split(whole, (600, 300, 200), seed=5)
    assert [len(p.y) for p in parts] == [600, 300, 200]
    together = np.concatenate([p.X for p in parts])
    assert len(np.unique(together, axis=0)) == 1100
    again = data.split(whole, (600, 300, 200), seed=5)
    other = data.split(whole, (600, 300, 200), seed=6)
    np.testing.assert_array_equal(parts[0].X, again[0].X)
    assert not np.array_equal(parts[0].X, other[0].X)


@pytest.mark.parametrize("sizes", [(1000, 200), (0, 10), (-1, 5)])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(DataError, match="do not split 1100"):
        data.split(data.generate_circles(), sizes, seed=0)


def test_unknown_data_set_is_refused():
    with pytest.raises(DataError, match="'mnist' is unknown"):
        data.load("mnist", valid=10, seed=0)
