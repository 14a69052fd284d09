"""YAML from outside as keys and values: bounded before it is read, every fault in one line."""

from collections import Counter
from typing import Any

import yaml

from mlp.messages import line, shown

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times as fast
DEPTH = 20  # of lists and mappings in each other


class MappingError(ValueError):
    """A text that is no mapping; the message says in one line where, and why."""


def parse(text: str) -> dict[Any, Any]:
    """The keys and values that a text says; of what size it may be is up to who has read it.

    Raises MappingError, also for a key that is given twice, and for aliases: a few lines of them
    can stand for more than any memory holds.

    >>> parse("a: 1")
    {'a': 1}
    """
    try:
        _check_events(text)
        value = yaml.load(text, LOADER)
        node = yaml.compose(text, LOADER)
    except MappingError:
        raise
    except Exception as error:  # PyYAML raises of any kind, as IndexError for `!!int ''`
        raise MappingError(f"not YAML: {_why(error)}") from error
    if not isinstance(value, dict) or not isinstance(node, yaml.MappingNode):
        raise MappingError("holds no lines of the form `key: value`; write such lines")
    _check_keys(node)
    return value


def _check_events(text: str) -> None:
    """Refuse what could not be read in the end, without building any of it."""
    depth = 0
    for event in yaml.parse(text, LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise MappingError(f"{_where(event)}: this is an alias; write out what it stands for")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH:
            raise MappingError(f"{_where(event)}: more than {DEPTH} levels deep; write it flat")


def _where(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"


def _check_keys(node: yaml.Node) -> None:
    """Refuse a key that is given twice, as only one of its values would count."""
    if isinstance(node, yaml.MappingNode):
        for name, times in Counter(str(key.value) for key, _ in node.value).items():
            if times > 1:
                raise MappingError(f"key {shown(name)} is given twice; keep one of them")
        for _, value in node.value:
            _check_keys(value)
    if isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check_keys(value)


def _why(error: Exception) -> str:
    """What PyYAML says, in a line; of an error that says nothing, its kind."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return line(f"line {error.problem_mark.line + 1}: {error.problem}", 200)
    said = str(error) if isinstance(error, yaml.YAMLError | ValueError) else ""
    return line(said or f"a value that cannot be read ({type(error).__name__})", 200)
