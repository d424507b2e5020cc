"""Records of a study cannot be changed, and those that hold arrays are compared by identity."""

from __future__ import annotations

import dataclasses
import inspect
from importlib import import_module
from pathlib import Path

from codecarena.studies.records.messages import Panel, SessionError, VoteRequest
from codecarena.studies.records.records import Condition, Content, Stimulus
from codecarena.studies.scale import models

ROOM = Path(models.__file__).parents[1]


def records() -> list[type]:
    """Return every dataclass of the studies' modules."""
    paths = [path.relative_to(ROOM).with_suffix("") for path in sorted(ROOM.rglob("*.py"))]
    # Two of the pages are scripts of Streamlit's, which run when they are imported.
    names = [".".join(path.parts) for path in paths if path.parts[0] != "trial"]
    modules = [import_module(f"codecarena.studies.{name}") for name in names]
    return [
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__ and dataclasses.is_dataclass(kind)
    ]


def parameters(kind: type) -> tuple[bool, bool]:
    """Return whether a dataclass is frozen and whether it is compared by its values."""
    parameters = kind.__dataclass_params__  # type: ignore[attr-defined]
    return parameters.frozen, parameters.eq


def test_every_record_is_frozen_and_has_no_place_for_more() -> None:
    kinds = records()
    assert len(kinds) > 60
    assert [kind.__name__ for kind in kinds if not parameters(kind)[0]] == []
    # Those that keep what they have worked out need a place for it; a file's bytes are many, its record one.
    open_ones = {kind.__name__ for kind in kinds if "__slots__" not in vars(kind)}
    assert open_ones == {"Asset", "PairCounts", "Problem", "Tally"}


def test_records_of_arrays_are_compared_by_identity_for_arrays_have_no_one_truth() -> None:
    kinds = records()
    fields = {kind.__name__: [str(field.type) for field in dataclasses.fields(kind)] for kind in kinds}
    arrays = {
        name
        for name, types in fields.items()
        if any(
            ("Array" in type_ or "csr_matrix" in type_) and not type_.startswith("Callable")
            for type_ in types
        )
    }
    by_identity = {kind.__name__ for kind in kinds if not parameters(kind)[1]}
    # A session plan holds arrays of pairs.
    assert by_identity == arrays | {"SessionPlan"}


def test_what_a_record_does_not_say_is_not_there() -> None:
    content = Content("p")
    assert (content.image_set, content.kind, content.picture_sha256, content.reference_sha256) == (None,) * 4
    assert (content.left, content.top, content.width, content.height) == (0, 0, 0, 0)
    stimulus = Stimulus(1, 2)
    assert (stimulus.content, stimulus.condition, stimulus.quality, stimulus.bits_per_pixel) == (
        1,
        2,
        None,
        None,
    )
    assert (stimulus.decoded_sha256, stimulus.shown_sha256) == (None, None)
    assert Condition("a", None, None, None).is_reference is False
    assert (Panel("p").study, Panel("p").session) == ("", "")
    vote_request = VoteRequest("t", "u", "first", 1.0)
    assert (vote_request.checksums, vote_request.display) == ({}, {})
    refused = SessionError("full", 410)
    assert (refused.code, refused.status, refused.detail, str(refused)) == ("full", 410, "", "full")
    assert str(SessionError("unanswered", 422, "Well?")) == "unanswered: Well?"
