"""The cache file: what cells have shown, by key."""

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Output = list[dict[str, Any]]  # of one cell, as in a notebook

FORMAT = 2  # raised whenever a cache of before would be misread


def load(path: Path) -> dict[str, Output]:
    """What is known; nothing, and a line on stderr, if the file cannot be read or is another's."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not _is_ours(content):
            raise ValueError("not a cache of this version")
    except (OSError, ValueError, RecursionError) as error:
        print(f"render: {path} is ignored, and written anew: {error}", file=sys.stderr)
        return {}
    outputs: dict[str, Output] = content["outputs"]
    return outputs


def save(path: Path, outputs: Mapping[str, Output]) -> None:
    """Write the file, in a piece. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"format": FORMAT, "outputs": outputs})
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=path.name, delete=False
    ) as file:
        temporary = Path(file.name)
        try:
            file.write(content)
            file.flush()
            temporary.replace(path)
        except BaseException:
            temporary.unlink()
            raise


def _is_ours(content: object) -> bool:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return False
    outputs = content.get("outputs")
    return isinstance(outputs, dict) and all(
        isinstance(output, list) and all(_is_shown(piece) for piece in output)
        for output in outputs.values()
    )


def _is_shown(piece: object) -> bool:
    """Whether something is what a cell shows: a stream with its text, or data by kind."""
    if not isinstance(piece, dict):
        return False
    if piece.get("output_type") == "stream":
        return isinstance(piece.get("text"), str) and isinstance(piece.get("name"), str)
    return isinstance(piece.get("data"), dict)
