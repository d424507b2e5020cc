"""Say what there is, as rows to print: codecs, metrics, image sets, suites, ready recipes."""

from __future__ import annotations

from pathlib import Path

Row = dict[str, str | int]
"""One line of a list; every row of a list has the same keys."""


def codecs() -> list[Row]:
    """Return every codec, with what is missing to run it."""
    from ...codecs.base import CodecError
    from ...codecs.registry import entries, family

    rows: list[Row] = []
    for entry in entries().values():
        status, kind = entry.missing or "ready", "?"
        try:
            kind = family(entry)
        except CodecError as error:
            status = entry.missing or str(error)
        rows.append({"codec": entry.name, "family": kind, "summary": entry.summary, "status": status})
    return rows


def metrics() -> list[Row]:
    """Return every metric, with what is missing to run it."""
    from ..metrics.registry import entries

    return [
        {"metric": entry.name, "summary": entry.summary, "status": entry.missing or "ready"}
        for entry in entries().values()
    ]


def image_sets(data: Path | None) -> list[Row]:
    """Return every known image set, and how much of it is in the data folder."""
    from ...datasets.sets.catalogue import names

    return [
        {
            "set": name.name,
            "kind": name.kind,
            "pictures": name.count,
            "here": name.present,
            "licence": name.licence,
            "summary": name.summary,
        }
        for name in names(data)
    ]


def image_sets_in_brief(data: Path | None) -> list[Row]:
    """Return the same without the summaries, which would fill a terminal's width."""
    return [
        {key: set_[key] for key in ("set", "kind")}
        | {"here": f"{set_['here']} of {set_['pictures']}", "licence": set_["licence"]}
        for set_ in image_sets(data)
    ]


def suites() -> list[Row]:
    """Return the suites that come with codecarena."""
    from ..run.suite import load, shipped

    suites_by_name = {name: load(path)[0] for name, path in shipped().items()}
    return [
        {
            "suite": name,
            "codecs": len(suite.codecs),
            "sets": ", ".join((*suite.sets, *suite.optional_sets)),
            "summary": suite.summary,
        }
        for name, suite in suites_by_name.items()
    ]


def recipes() -> list[Row]:
    """Return the ready recipes for other people's codecs."""
    from ...codecs.recipe_install import summaries

    return [{"recipe": name, "summary": summary} for name, summary in summaries().items()]
