import io
import pickle
import zipfile

import numpy as np
import pytest

from grading import values
from grading.values import ValuesError


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def packed(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def header(descr="'<f8'", shape="(3,)"):
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def test_arrays_come_back_as_they_were_saved():
    saved = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "c": np.array(3, np.float32),
        "d": np.array([], bool),
        "e": np.array([1j, np.nan]),
    }
    read = values.read(npz(**saved))
    assert read.keys() == saved.keys()
    for name, array in saved.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype


class Attack:
    """Raises as it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("it was unpickled",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        npz(a=np.ones(1000))[:-20],
        npz(a=np.array([Attack()], object)),
        packed(a=pickle.dumps(Attack())),
        npz(a=np.array(["text"])),
        npz(a=np.array([(1, 2.0)], [("x", int), ("y", float)])),
        packed(a=header(shape="(1000000000000,)")),
        packed(a=header(shape="(-1,)") + bytes(8)),
        packed(a=header(shape="(-1, -3)") + bytes(24)),
        packed(a=header(shape="(2,)") + bytes(24)),
        packed(a=header(descr="'|O'") + pickle.dumps(Attack())),
        packed(a=header(descr="__import__('os').abort()") + bytes(24)),
        packed(a=header(shape="(" * 3000 + ")" * 3000)),
        packed(a=b"\x93NUMPY\x09\x00" + header()[8:]),
    ],
)
def test_what_is_no_file_of_numbers_is_refused(content):
    with pytest.raises(ValuesError):
        values.read(content)


def test_arrays_larger_than_allowed_are_refused_before_they_are_unpacked(monkeypatch):
    bomb = io.BytesIO()
    np.savez_compressed(bomb, a=np.zeros(2**20))
    assert len(bomb.getvalue()) < 2**16
    monkeypatch.setattr(zipfile.ZipFile, "read", None)  # so that unpacking would be an error
    with pytest.raises(ValuesError, match="more than 1,048,576 bytes of arrays"):
        values.read(bomb.getvalue(), most=2**20)


def test_too_many_arrays_are_refused():
    with pytest.raises(ValuesError, match="more than 1000 arrays"):
        values.read(packed(**{f"a{i}": b"" for i in range(1001)}))
