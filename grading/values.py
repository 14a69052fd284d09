"""Arrays that come back from a submission: read with bounds, plain numbers alone, no pickle."""

import io
import math
import zipfile

import numpy as np

from mlp.functions import Array

MOST_ARRAYS = 1000


class ValuesError(ValueError):
    """What came back is no file of arrays, or too large a one."""


def read(content: bytes, most: int = 64 * 2**20) -> dict[str, Array]:
    """The arrays of an .npz, by name, of at most so many bytes in all. Raises ValuesError."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > MOST_ARRAYS:
                raise ValuesError(f"more than {MOST_ARRAYS} arrays")
            if sum(member.file_size for member in members) > most:
                raise ValuesError(f"more than {most:,} bytes of arrays")
            return {
                member.filename.removesuffix(".npy"): _array(archive.read(member))
                for member in members
            }
    except ValuesError:
        raise
    except Exception as error:  # of any kind: zipfile, zlib, numpy and ast have their own
        raise ValuesError(f"not a file of arrays ({error!r})") from error


def _array(content: bytes) -> Array:
    """The array of an .npy, if it is as large as it says that it is. Raises ValueError."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValuesError(f"version {version} of .npy")
    header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, by_columns, dtype = header[version](file)
    if dtype.kind not in "biufc":
        raise ValuesError(f"an array of {dtype}, not of numbers")
    data = file.read()
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValuesError(f"an array that says its shape is {shape}, and has {len(data):,} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if by_columns else "C")
