"""Order the seeds of a setting so that they decode one bitstream: the first encodes, the others wait."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from ..records.cells import CellKey
from ..records.messages import Outcome
from .plan import Planned


class OneStream:
    """Cells that are held back until another one has stored the bitstream they decode."""

    def __init__(self, cells: Iterable[Planned]) -> None:
        self.ready: list[Planned] = []
        """Those that wait for nothing."""
        self._held: dict[CellKey, list[Planned]] = defaultdict(list)
        leading: set[CellKey] = set()
        for planned in cells:
            shared = planned.key.stream
            if planned.cell.stored or planned.cell.bitstream_sha256:
                self.ready.append(planned)
            elif shared in leading:
                self._held[shared].append(planned)
            else:
                leading.add(shared)
                self.ready.append(planned)

    def release(self, planned: Planned, outcome: Outcome) -> list[Planned]:
        """Return the cells that waited for this one; where it stored no bitstream, they encode themselves."""
        held = self._held.pop(planned.key.stream, [])
        stream = outcome.measured.bitstream_sha256 if outcome.measured else None
        return [replace(waiting, cell=replace(waiting.cell, bitstream_sha256=stream)) for waiting in held]
