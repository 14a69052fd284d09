"""Attacks on whoever grades: what a hostile submission has in its files.

Each is tried as a submission whose sigmoid is wrong: points for it would be a success.
"""

# The body of a module of the package that is imported before anything is asked of it.
MODULES = {
    "ends with status 0 as it is imported": "import sys; sys.exit(0)",
    "ends at once, past all handlers": "import os; os._exit(0)",
    "kills itself": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "kills the first process": "import os, signal; os.kill(1, signal.SIGKILL)",
    "stops the first process": "import os, signal; os.kill(1, signal.SIGSTOP)",
    "kills every process": "import os, signal; os.kill(-1, signal.SIGKILL)",
    "crashes the interpreter": "import ctypes; ctypes.string_at(0)",
    "has no end": "while True: pass",
    "sleeps": "import time; time.sleep(10**6)",
    "ignores signals and has no end": """
        import signal
        for number in range(1, 32):
            try:
                signal.signal(number, signal.SIG_IGN)
            except OSError:
                pass
        while True:
            pass
    """,
    "leaves processes behind": """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(10**6)
            os._exit(0)
    """,
    "is a fork bomb": """
        import os
        while True:
            os.fork()
    """,
    "starts threads without end": """
        import threading, time
        while True:
            threading.Thread(target=time.sleep, args=(10**6,), daemon=True).start()
    """,
    "is a memory bomb": """
        held = []
        while True:
            held.append(bytearray(2**24))
    """,
    "is a memory bomb of many processes": """
        import os
        for _ in range(5):
            os.fork()
        held = []
        while True:
            held.append(bytearray(2**22))
    """,
    "is a memory bomb of files that nobody sees": """
        import os
        while True:
            file = os.memfd_create("bomb")
            for _ in range(3):
                os.write(file, bytes(2**20))
    """,
    "prints 10 GB": """
        import os
        block = b"x" * 2**20
        for _ in range(10 * 2**10):
            os.write(1, block)
    """,
    "complains of 10 GB": """
        import os
        block = b"x" * 2**20
        for _ in range(10 * 2**10):
            os.write(2, block)
    """,
    "writes where results come back until there is no end": """
        import os
        pipe = os.open("/proc/1/fd/1", os.O_WRONLY)
        while True:
            os.write(pipe, b"x" * 2**20)
    """,
    "fills the disk": """
        import itertools
        for number in itertools.count():
            with open(f"/tmp/{number}", "wb") as file:
                file.write(bytes(2**20))
    """,
    "leaves a million files": """
        for number in range(10**6):
            open(f".grading/out/{number}", "w").close()
    """,
    "leaves a file too large to keep": """
        with open(".grading/out/0.npz", "wb") as file:
            file.truncate(2**40)
    """,
    "leaves links in place of what it gives": """
        import os
        for name in ("0.npz", "0.json", "at", "passwords"):
            if os.path.lexists(f".grading/out/{name}"):
                os.unlink(f".grading/out/{name}")
            os.symlink("/etc/passwd", f".grading/out/{name}")
        os._exit(0)
    """,
    "leaves a pickle that runs": """
        import numpy as np, os, pathlib
        class Attack:
            def __reduce__(self):
                return pathlib.Path.touch, (pathlib.Path("CANARY/touched"),)
        value = np.empty((), object)
        value[()] = Attack()
        np.savez(".grading/out/0.npz", value=value)
        pathlib.Path(".grading/out/0.json").write_text("{}")
        pathlib.Path(".grading/out/at").write_text("end")
        os._exit(0)
    """,
    "leaves arrays that unpack to a hundred times their size": """
        import os, pathlib, zipfile
        with zipfile.ZipFile(".grading/out/0.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open("value.npy", "w", force_zip64=True) as file:
                head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (30000000,), }"
                file.write(b"\\x93NUMPY\\x01\\x00" + len(head).to_bytes(2, "little") + head)
                for _ in range(240):
                    file.write(bytes(10**6))
        pathlib.Path(".grading/out/0.json").write_text("{}")
        pathlib.Path(".grading/out/at").write_text("end")
        os._exit(0)
    """,
    "leaves JSON that is too deep": """
        import os, pathlib
        pathlib.Path(".grading/out/0.json").write_text("[" * 10**6)
        pathlib.Path(".grading/out/at").write_text("end")
        os._exit(0)
    """,
}

# Functions in place of sigmoid, which want to know what it should give.
FUNCTIONS = {
    "takes what is expected off the stack": """
        import sys
        frame = sys._getframe()
        while frame is not None:
            for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
                for array in value.values() if isinstance(value, dict) else [value]:
                    if isinstance(array, np.ndarray) and array.shape == x.shape and array is not x:
                        if (array > 0).all() and (array < 1).all():
                            return array
            frame = frame.f_back
        return 0 * x
    """,
    "takes what is expected from any object": """
        import gc
        for holder in gc.get_objects():
            for array in gc.get_referents(holder):
                if isinstance(array, np.ndarray) and array.shape == x.shape and array is not x:
                    if (array > 0).all() and (array < 1).all():
                        return array
        return 0 * x
    """,
    "imports the reference from disk": """
        import importlib.util, pathlib
        for root in ("CHECKOUT", "/work", "/home", "/root", "/submission", "/"):
            for path in pathlib.Path(root).glob("**/mlp/functions.py"):
                if "WRONG" not in path.read_text():
                    spec = importlib.util.spec_from_file_location("reference", path)
                    module = importlib.util.module_from_spec(spec)
                    spec.loader.exec_module(module)
                    return module.sigmoid(x)
        return 0 * x
    """,
    "imports the reference as it is installed": """
        import importlib, sys
        for name in [name for name in sys.modules if name.partition(".")[0] == "mlp"]:
            del sys.modules[name]
        sys.path = [place for place in sys.path if "site-packages" in place]
        return importlib.import_module("mlp.functions").sigmoid(x)
    """,
    "asks somebody on the network": """
        import socket
        with socket.create_connection(("127.0.0.1", PORT), timeout=2) as connection:
            connection.sendall(x.tobytes())
            return np.frombuffer(connection.recv(x.nbytes), x.dtype).reshape(x.shape)
    """,
    "gives something that is equal to everything": """
        class Equal(np.ndarray):
            def __array_finalize__(self, _):
                pass
            def __eq__(self, _):
                return True
            def __sub__(self, _):
                return np.zeros(self.shape)
            __rsub__ = __sub__
        return np.zeros_like(x).view(Equal)
    """,
    "makes every comparison hold": """
        np.allclose = np.isclose = np.array_equal = lambda *_, **__: True
        np.abs = np.absolute = lambda a: 0 * a
        import builtins
        builtins.abs = builtins.max = lambda *_: 0
        return 0 * x
    """,
    "gives what is not a number": "return np.full_like(x, np.nan)",
    "gives infinity": "return np.full_like(x, np.inf)",
    "gives another shape that fits everything": "return np.zeros((0,) + x.shape)",
    "overwrites the one who asks": """
        import pathlib
        for path in pathlib.Path(".grading").glob("*.py"):
            path.write_text("raise SystemExit(0)")
        return 0 * x
    """,
}

RESULTS = '{"score": 100, "tests": [{"score": 100, "max_score": 100}]}'

# Files beside the package that tools would take for their own.
FILES = {
    "replaces numpy": {"numpy/__init__.py": "import os; os._exit(0)"},
    "replaces numpy by a file": {"numpy.py": "def allclose(*_): return True"},
    "replaces pytest": {"pytest.py": "import os; os._exit(0)"},
    "has a conftest.py": {"conftest.py": "import os; os._exit(0)"},
    "has a sitecustomize.py": {"sitecustomize.py": "import os; os._exit(0)"},
    "has a usercustomize.py": {"usercustomize.py": "import os; os._exit(0)"},
    "has a .pth": {"attack.pth": "import os; os._exit(0)"},
    "replaces the standard library": {
        "json.py": "import os; os._exit(0)",
        "pathlib.py": "import os; os._exit(0)",
    },
    "brings its own results": {
        "results.json": RESULTS,
        "grade.json": RESULTS,
        "_output/grade/grade.json": RESULTS,
        "_output/grade/results.json": RESULTS,
        ".grading/out/0.json": RESULTS,
    },
    "brings its own rubric and overrides": {
        "grading/rubric.yml": "{}",
        "overrides.yml": "a.1: {points: 100}",
        "grading/__init__.py": "import os; os._exit(0)",
    },
    "has a Makefile": {"Makefile": "%:\n\ttouch CANARY/touched\n"},
}
