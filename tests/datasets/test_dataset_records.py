"""Records of image sets cannot be changed after they are made, nor misspelt."""

from __future__ import annotations

from records import loose_records

from codecarena import datasets


def test_every_record_is_frozen_and_has_slots() -> None:
    assert loose_records(datasets) == set()
