"""There is no door without the watermark: not by mistake, and on no channel."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

from channels.outlet import Outlet
from tests.unit.test_house import named, product

MAKERS = {"agent/marking.py"}
"""Where a stage of the watermark is made, and nowhere else."""


def calls(path: Path, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def test_every_outlet_of_the_product_is_given_a_mark_that_it_was_handed() -> None:
    doors = [(named(path), call) for path in product() for call in calls(path, "Outlet")]
    assert {path for path, _ in doors} == {"agent/assembly.py", "agent/meeting/assembly.py", "agent/recorded.py"}
    for path, call in doors:
        marks = [keyword.value for keyword in call.keywords if keyword.arg == "mark"]
        assert [ast.unparse(mark) for mark in marks] == ["mark"], path


def test_whoever_is_handed_a_mark_has_no_other_to_fall_back_on() -> None:
    """A default would be a door without a mark."""
    for path in product():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                plain = [*node.args.posonlyargs, *node.args.args]
                free = {argument.arg for argument in plain[len(plain) - len(node.args.defaults) :]}
                free |= {
                    argument.arg
                    for argument, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                    if value is not None
                }
                assert "mark" not in free, f"{named(path)}:{node.lineno}"


def test_the_watermark_is_made_in_one_place_and_nothing_else_passes_for_one() -> None:
    assert {named(path) for path in product() if list(calls(path, "Watermark"))} == MAKERS
    passing = [
        f"{named(path)}:{node.name}"
        for path in product()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
        and "def process(" in (body := ast.unparse(node))
        and ("def apology(" in body or "self.apology =" in body)
    ]
    assert passing == ["compliance/watermark/stage.py:Watermark"]


def test_sound_reaches_a_wire_through_the_outlet_alone() -> None:
    """`Wire.send` is called in one place of the product."""
    senders = [
        named(path)
        for path in product()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("wire.send")
    ]
    assert senders == ["channels/outlet.py"]


def test_a_door_without_a_mark_cannot_be_built() -> None:
    parameter = inspect.signature(Outlet).parameters["mark"]
    assert (parameter.kind, parameter.default) == (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.empty)
