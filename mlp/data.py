"""The data sets: two circles and Fashion-MNIST, and their splits. Nothing else reads data.

A data set holds one example per row; it is transposed once, where a batch enters the network.
"""

import gzip
import hashlib
import io
import math
import os
import warnings
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mlp import files
from mlp.functions import Array
from mlp.messages import SHORT, line, shown

PACKAGE = Path(__file__).resolve().parent
IN_CHECKOUT = (PACKAGE.parent / "report.qmd").is_file()
if IN_CHECKOUT:
    ROOT = PACKAGE.parent
    CHECKSUMS = ROOT / "data"
    FETCH = "make data"
else:  # an installed package works in the folder that it is called from
    ROOT = Path.cwd()
    CHECKSUMS = PACKAGE / "checksums"
    FETCH = "python -m mlp data"


def checksums(path: Path) -> dict[str, str]:
    """Read a file as `md5sum` writes it: a sum and the name of a file in each line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: md5 for md5, name in map(str.split, lines)}


# The four official files and their published MD5 sums (Xiao, Rasul and Vollgraf, 2017).
FASHION_MNIST = checksums(CHECKSUMS / "fashion-mnist.md5")
SOURCES = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


class DataError(ValueError):
    """Data that cannot be used; the message names the file, the value and the remedy."""


class Dataset(NamedTuple):
    """n examples in rows, and their classes."""

    X: Array  # (n, d) floats
    y: Array  # (n,) ints in 0..m-1


class Splits(NamedTuple):
    """Disjoint parts: one trains, one chooses, one is only reported."""

    train: Dataset
    valid: Dataset
    test: Dataset


def dataset(X: ArrayLike, y: ArrayLike, m: int, source: str = "data") -> Dataset:
    """Check rows X, (n, d), and classes y, (n,), in 0..m-1; `source` names them in errors.

    Raises DataError for other shapes or lengths, for values that are not finite, and for labels
    outside the classes.
    """
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim != 2 or y.ndim != 1:
        raise DataError(f"{source}: X has shape {X.shape}, y {y.shape}; give (n, d) and (n,)")
    if len(X) != len(y):
        raise DataError(f"{source}: {len(X)} examples but {len(y)} labels; give one label each")
    if not np.all(finite := np.isfinite(X)):
        i, j = np.argwhere(~finite)[0]
        raise DataError(f"{source}: X[{i}, {j}] is {X[i, j]}; replace it or drop example {i}")
    if not np.all(valid := np.isin(y, np.arange(m))):
        i = np.argmin(valid)
        raise DataError(
            f"{source}: label {y[i]} of example {i} is not one of the classes 0..{m - 1}; "
            f"correct it or drop example {i}"
        )
    return Dataset(X, y.astype(np.intp))


# --- two circles -----------------------------------------------------------------------------


def generate_circles(n: int = 1100, seed: int = 0) -> Dataset:
    """Two concentric circles, n/2 points each: class 0 at radius 1, class 1 at radius 0.8.

    Angles are evenly spaced, without noise; only the order is random. Shapes (n, 2) and (n,).

    >>> X, y = generate_circles()
    >>> X.shape, float(np.hypot(*X[y == 1].T).mean().round(9))
    ((1100, 2), 0.8)
    """
    angles = 2 * np.pi * np.arange(n // 2) / (n // 2)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    X = np.concatenate([1.0 * circle, 0.8 * circle])
    y = np.repeat([0, 1], n // 2)
    order = np.random.default_rng(seed).permutation(len(y))
    return Dataset(X[order], y[order])


def circles() -> Dataset:
    """Two circles, from `$MLP_DATA/circles.txt` where there is one, else generated.

    A file with the generated points, as the course's is, changes nothing: neither does its order
    of points change the splits, nor its rounding the figures.
    """
    ours = generate_circles()
    override = Path(os.environ.get("MLP_DATA", "/nonexistent")) / "circles.txt"
    if not override.is_file():
        return ours
    theirs = read_circles(override)
    return ours if same_points(ours, theirs) else theirs


def same_points(a: Dataset, b: Dataset, tolerance: float = 1e-9) -> bool:
    """Whether two sets of labelled points are equal but for their order."""
    tables = [np.column_stack(points) for points in (a, b)]
    first, second = (table[np.lexsort(table.round(6).T)] for table in tables)
    return first.shape == second.shape and np.allclose(first, second, rtol=0, atol=tolerance)


MOST_TEXT = 10_000_000  # bytes of circles.txt
FARTHEST = 1e6  # what a coordinate may be: from far larger ones, sums and squares overflow


def read_circles(path: Path) -> Dataset:
    """Read the text file of the course: a row per point, columns x₁ x₂ class.

    Raises DataError if the file is not of this form, if its last line does not end, as where it was
    cut short, or if a class has no point.
    """
    try:
        text = files.text(path, MOST_TEXT)
        with warnings.catch_warnings(action="ignore"):  # of an empty file: it is an error here
            table = np.loadtxt(io.StringIO(text), ndmin=2)
    except (OSError, ValueError, OverflowError) as error:
        why = line(str(error), SHORT)
        raise DataError(f"{path}: not a table of numbers ({why}); restore the file") from error
    if not table.size:
        raise DataError(f"{path}: holds no points; restore the file")
    if not text.endswith("\n"):
        raise DataError(f"{path}: the last line does not end; restore the file, or end the line")
    if table.shape[1] != 3:
        raise DataError(f"{path}: {table.shape[1]} columns; rows must be x₁ x₂ class")
    points = dataset(table[:, :2], table[:, 2], m=2, source=str(path))
    if np.any(far := np.abs(points.X) > FARTHEST):
        i, j = np.argwhere(far)[0]
        raise DataError(f"{path}: X[{i}, {j}] is {points.X[i, j]}; it must be within ±{FARTHEST:g}")
    if len(set(points.y.tolist())) < 2:
        raise DataError(f"{path}: all points are of class {points.y[0]}; there must be two classes")
    return points


def flip_labels(data: Dataset, share: float, rng: np.random.Generator) -> Dataset:
    """Give a random share of the examples of a two-class set the other class."""
    flipped = rng.random(len(data.y)) < share
    return Dataset(data.X, np.where(flipped, 1 - data.y, data.y))


# --- Fashion-MNIST ---------------------------------------------------------------------------


def folders() -> list[Path]:
    """Where Fashion-MNIST is looked for, in order; `$MLP_DATA` first."""
    override = os.environ.get("MLP_DATA")
    roots = [Path(override)] if override else []
    roots.append(ROOT / "data")
    if IN_CHECKOUT:
        roots.append(ROOT.parent / "shared" / "data")
    return [folder for root in roots for folder in (root / "fashion-mnist", root)]


def find(name: str) -> Path | None:
    """The first file of this name among `folders()`, not yet checked."""
    return next((f / name for f in folders() if (f / name).is_file()), None)


def check(path: Path) -> None:
    """Raise DataError unless the file has the published MD5 sum of its name."""
    with files.naming(path), files.opened(path) as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    found = md5.hexdigest()
    if found != FASHION_MNIST[path.name]:
        raise DataError(
            f"{path}: MD5 sum {found} instead of {FASHION_MNIST[path.name]}: "
            f"the file is corrupt, truncated or another one; delete it and run: {FETCH}"
        )


def download(name: str) -> Path:
    """Download one file of Fashion-MNIST into `$MLP_DATA` or data/, atomically, and check it.

    Raises DataError if neither the official address nor the mirror gives the right file.
    """
    import pooch  # only here: whoever has the files needs no downloader

    target = folders()[0]
    reasons = []
    for address in SOURCES:
        try:
            pooch.retrieve(
                address + name, f"md5:{FASHION_MNIST[name]}", name, target, progressbar=True
            )
        except (OSError, ValueError) as error:
            reasons.append(f"{address}: {type(error).__name__}")
        else:
            return target / name
    raise DataError(
        f"{name}: not among {', '.join(map(str, folders()))}, and no download "
        f"({'; '.join(reasons)}); put the four *-ubyte.gz files into {target}"
    )


def locate(
    names: Iterable[str] = FASHION_MNIST, *, may_download: bool = True
) -> Iterator[tuple[str, Path, bool]]:
    """Yield (name, path, was downloaded) for the files, each checked against its sum."""
    for name in names:
        found = find(name)
        if found is None and not may_download:
            raise DataError(f"{name}: not found; run: {FETCH}")
        path = found or download(name)
        check(path)
        yield name, path, found is None


MOST_BYTES = 200_000_000  # of an IDX file, packed or not
MOST_AXES = 8


def read_idx(path: Path) -> Array:
    """Read a gzipped IDX file of bytes: any shape, uint8.

    Raises DataError if the file is not gzip, not IDX, or not as long as its header says.
    """
    try:
        with gzip.open(io.BytesIO(files.content(path, MOST_BYTES))) as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        why = line(str(error), SHORT)
        raise DataError(f"{path}: not a whole gzip file ({why}); fetch it again") from error
    if len(content) > MOST_BYTES:
        raise DataError(f"{path}: holds more than {MOST_BYTES:,} bytes; fetch it again")
    if len(content) < 4 or content[:3] != b"\0\0\x08" or len(content) < 4 + 4 * content[3]:
        raise DataError(
            f"{path}: starts with {content[:4]!r}, not an IDX file of bytes; fetch it again"
        )
    ndim = content[3]
    shape = tuple(np.frombuffer(content, ">u4", ndim, offset=4).tolist())
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * ndim)
    if values.size != math.prod(shape):
        raise DataError(
            f"{path}: header says shape {shown(shape)}, but {values.size} values follow; "
            "fetch it again"
        )
    if not values.size or len(shape) > MOST_AXES:
        raise DataError(f"{path}: of shape {shown(shape)}, as no data are; fetch it again")
    return values.reshape(shape)


def fashion_mnist(part: str, *, may_download: bool = True) -> Dataset:
    """The 60,000 examples of part "train" or the 10,000 of "t10k"; d = 784 pixels in [0, 1].

    X is float32. Raises DataError if a file is missing, corrupt, or does not fit the other.
    """
    return _scaled(_bytes(part, may_download))


def _bytes(part: str, may_download: bool) -> Dataset:
    names = [f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"]
    images, labels = (read_idx(path) for _, path, _ in locate(names, may_download=may_download))
    if images.ndim != 3:
        raise DataError(f"Fashion-MNIST ({part}): images of shape {images.shape}; fetch them again")
    return dataset(images.reshape(len(images), -1), labels, 10, f"Fashion-MNIST ({part})")


def _scaled(images: Dataset) -> Dataset:
    return images._replace(X=images.X / np.float32(255))


# --- splits ----------------------------------------------------------------------------------


def split(data: Dataset, sizes: tuple[int, ...], seed: int) -> list[Dataset]:
    """Disjoint random parts of these sizes, the same for the same seed.

    Raises DataError if the sizes are not positive or exceed the number of examples.

    >>> [len(part.y) for part in split(generate_circles(), (600, 300, 200), seed=0)]
    [600, 300, 200]
    """
    if min(sizes) < 1 or sum(sizes) > len(data.y):
        raise DataError(
            f"sizes {sizes} do not split {len(data.y)} examples; choose valid so that every part "
            "has at least one"
        )
    order = np.random.default_rng(seed).permutation(len(data.y))
    parts = np.split(order[: sum(sizes)], np.cumsum(sizes)[:-1])
    return [Dataset(data.X[part], data.y[part]) for part in parts]


def load(name: str, *, valid: int, seed: int, may_download: bool = True) -> Splits:
    """The data set `name` ("circles" or "fashion-mnist") with `valid` validation examples.

    Circles: as many test examples as validation examples, the rest trains. Fashion-MNIST:
    the validation examples are taken out of the 60,000, the official test set tests.
    """
    if name == "circles":
        data = circles()
        return Splits(*split(data, (len(data.y) - 2 * valid, valid, valid), seed))
    if name == "fashion-mnist":
        rest = _bytes("train", may_download)  # split as bytes, to spare memory
        train, held_out = map(_scaled, split(rest, (len(rest.y) - valid, valid), seed))
        return Splits(train, held_out, fashion_mnist("t10k", may_download=may_download))
    raise DataError(f"data set {shown(name)} is unknown; choose circles or fashion-mnist")
