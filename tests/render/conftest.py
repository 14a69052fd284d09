"""What the tests of rendering share: small reports, a kernel, and Quarto where there is one."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from literate.reader import ROOT
from render import direct
from render.__main__ import QUARTO
from render.execute import Session

FIXTURE = r"""---
title: "A fixture"
author:
  - name: "First Author"  # here alone
format: typst
---

\newcommand{\W}[1]{\mathbf{W}^{(#1)}}

# One {#sec-one}

## Two {#sec-two}

Half is `{python} f"{1 / 2:.2f}"`. It isn't "typed".

$$
\W{1} = \frac{1}{2} .
$$ {#eq-first}

$$
\W{2} = 0 .
$$ {#eq-second}

See @eq-second, @sec-two, @fig-line and @tbl-small.

```{python}
#| label: fig-line
#| fig-cap: "A line rises."
#| fig-alt: "A rising line."
import matplotlib.pyplot as plt
plt.plot([1, 2]);
```

```{python}
#| label: tbl-small
#| tbl-cap: "Small."
from IPython.display import Markdown
Markdown("| a | b |\n|--:|:-|\n| 1 | 2 |\n")
```

```python
W2 = 0  # @eq-second
```
"""

QUICK = r"""
# One {#sec-one}

$$
x = y
$$ {#eq-x}

See @eq-x.
"""

NEEDS_LATEX = pytest.mark.skipif(not shutil.which("lualatex"), reason="there is no LaTeX")
NEEDS_QUARTO = pytest.mark.skipif(
    not QUARTO, reason="there is no Quarto to compare the direct route with"
)


@pytest.fixture(scope="session")
def session(tmp_path_factory):
    session = Session(tmp_path_factory.mktemp("cache") / "outputs.json")
    yield session
    session.close()


@pytest.fixture(scope="session")
def rendered(tmp_path_factory, session):
    """Render the fixture directly, into a format."""
    folder = tmp_path_factory.mktemp("rendered")
    return lambda to: direct.render(write(folder, FIXTURE), to, session, folder)


def write(folder: Path, text: str) -> Path:
    """A report in a folder, with all that it needs beside it."""
    source = folder / "report.qmd"
    source.write_text(text)
    (folder / "references.bib").touch()
    return source


def text_of(pdf: Path) -> str:
    """The text of a PDF, in one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(pdf).pages).split())


def words_of(product: Path) -> str:
    """The text of a report in any format."""
    if product.suffix == ".pdf":
        return text_of(product)
    text = product.read_text()
    return json.dumps(json.loads(text), ensure_ascii=False) if product.suffix == ".ipynb" else text


def squeezed(pdf: Path) -> str:
    """The text without spaces and hyphens, since versions of Typst differ in setting them."""
    pages = (page.extract_text() for page in PdfReader(pdf).pages)
    return re.sub(r"[\s\u00ad-]", "", "".join(pages))


def for_quarto(folder: Path, text: str) -> None:
    """A report in a folder, with what Quarto needs beside it."""
    for name in ("render", "_quarto.yml"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    write(folder, text)


def quarto(folder: Path, *options: str, python: Path | str = sys.executable) -> None:
    """Render with Quarto. Raises CalledProcessError."""
    environment = os.environ | {
        "QUARTO_PYTHON": str(python),
        "PYTHONPATH": str(ROOT),
        "JUPYTER_PATH": str(ROOT / "render" / "jupyter"),
    }
    command = [QUARTO, "render", *options, "--no-execute-daemon"]
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)


def by_quarto(folder: Path, to: str) -> Path:
    """Render the report of a folder with Quarto, and return the file."""
    quarto(folder, "report.qmd", "--to", to)
    return folder / "_output" / direct.CONFIG["format"][to]["output-file"]


def directly(folder: Path, to: str) -> Path:
    """Render the report of a folder without Quarto, and return the file."""
    session = Session(folder / "cache.json")
    try:
        return direct.render(folder / "report.qmd", to, session, folder)
    finally:
        session.close()


ROUTES = pytest.mark.parametrize("route", [directly, pytest.param(by_quarto, marks=NEEDS_QUARTO)])
