"""The dataclasses of a package, for the tests that hold each room to frozen records with slots."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from types import ModuleType


def loose_records(package: ModuleType, *, but: tuple[str, ...] = ()) -> set[str]:
    """Return a package's dataclasses that can be changed or have no slots; ``but`` names folders to skip."""
    root = Path(next(iter(package.__path__)))
    found: set[str] = set()
    for path in sorted(root.rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        if name.startswith(but) or "__" in name:
            continue
        module = importlib.import_module(f"{package.__name__}.{name}")
        records = [
            one for one in vars(module).values() if isinstance(one, type) and dataclasses.is_dataclass(one)
        ]
        found |= {
            f"{name}.{one.__name__}"
            for one in records
            if one.__module__ == module.__name__ and _is_loose(one)
        }
    return found


def _is_loose(record: type) -> bool:
    return not record.__dataclass_params__.frozen or "__slots__" not in vars(record)
