"""The dataclasses of a package, for the tests that hold each room to frozen records with slots."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from types import ModuleType


def loose_records(package: ModuleType, *, but: tuple[str, ...] = ()) -> set[str]:
    """Return a package's dataclasses that can be changed or have no slots; ``but`` names folders to skip."""
    root = Path(next(iter(package.__path__)))
    names: set[str] = set()
    for path in sorted(root.rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        if name.startswith(but) or "__" in name:
            continue
        module = importlib.import_module(f"{package.__name__}.{name}")
        records = [
            var for var in vars(module).values() if isinstance(var, type) and dataclasses.is_dataclass(var)
        ]
        names |= {
            f"{name}.{record.__name__}"
            for record in records
            if record.__module__ == module.__name__ and _is_loose(record)
        }
    return names


def _is_loose(record: type) -> bool:
    return not record.__dataclass_params__.frozen or "__slots__" not in vars(record)
