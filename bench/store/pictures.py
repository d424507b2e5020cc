"""Keep what is known of pictures beside their pixels: provenance, descriptors, perceptual hashes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, insert, select

from ...datasets.description.descriptors import DESCRIPTORS, VERSION
from ...datasets.description.history import FILE_FORMATS, HISTORY
from ...datasets.manifest import LocalPicture
from ..records.messages import PictureContent
from .store import Store, chunks
from .tables.picture_tables import DescriptorTable, PrintTable, ProvenanceTable
from .tables.schema import MemberTable
from .writer import StoreWriter

NOT_DESCRIBED = ""
"""The version of the descriptors of a picture of which only the perceptual hash was asked for."""


MATCHED_ON = {
    "size": ("megapixels",),
    "history": tuple(name for name in HISTORY if name != "megapixels"),
    "content": tuple(DESCRIPTORS),
}
"""Descriptors in which pictures of two kinds may be asked to be alike, by what they are about."""
DESCRIPTOR_TITLES = {name: name.replace("_", " ") for name in DESCRIPTORS} | HISTORY
"""What each descriptor is called in a sentence."""


def known_prints(store: Store, pictures: Iterable[str]) -> dict[str, str]:
    """Return the perceptual hash of those pictures that have one in the store."""
    prints: dict[str, str] = {}
    with store.reading() as connection:
        for chunk in chunks(pictures):
            query = select(PrintTable.picture_sha256, PrintTable.perceptual).where(
                PrintTable.picture_sha256.in_(chunk)
            )
            prints |= {row[0]: row[1] for row in connection.execute(query)}
    return prints


def undescribed(store: Store, image_set: str | None = None) -> dict[str, str]:
    """Return the file of each picture whose descriptors are not stored in their present version, by its hash.

    Args:
        store: The store.
        image_set: Only pictures of this set; of all where None.
    """
    described = select(PrintTable.picture_sha256).where(PrintTable.version == VERSION)
    query = select(MemberTable.picture_sha256, MemberTable.path).where(
        MemberTable.picture_sha256.not_in(described)
    )
    if image_set is not None:
        query = query.where(MemberTable.image_set == image_set)
    with store.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(query.order_by(MemberTable.path))}


def descriptors(store: Store) -> dict[str, dict[str, float]]:
    """Return the descriptors of every picture by name, by the hash of its pixels."""
    descriptors_of_picture: dict[str, dict[str, float]] = defaultdict(dict)
    query = (
        select(DescriptorTable.picture_sha256, DescriptorTable.name, DescriptorTable.value)
        .join(PrintTable, PrintTable.picture_sha256 == DescriptorTable.picture_sha256)
        .where(PrintTable.version == VERSION)
    )
    with store.engine.connect() as connection:
        for picture, name, value in connection.execute(query):
            descriptors_of_picture[picture][name] = value
    return dict(descriptors_of_picture)


def with_formats_apart(described: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return descriptors in which each file format is one of its own, 1 or 0: formats have no order."""
    formats = sorted({int(values["file_format"]) for values in described.values() if "file_format" in values})
    return {
        picture: {name: value for name, value in values.items() if name != "file_format"}
        | {
            f"{FILE_FORMATS[place].upper()} file": float(values["file_format"] == place)
            for place in formats
            if "file_format" in values
        }
        for picture, values in described.items()
    }


def add_contents(store: StoreWriter, contents: Iterable[PictureContent]) -> None:
    """Record what is on pictures, in place of what was known before."""
    listed = list(contents)
    if not listed:
        return
    values = [
        {"picture_sha256": content.picture_sha256, "name": name, "value": value}
        for content in listed
        for name, value in (content.descriptors or {}).items()
    ]
    prints = [
        {
            "picture_sha256": content.picture_sha256,
            "perceptual": content.perceptual,
            "version": NOT_DESCRIBED if content.descriptors is None else VERSION,
        }
        for content in listed
    ]

    def replace(connection: Connection) -> None:
        for table, rows in ((DescriptorTable, values), (PrintTable, prints)):
            for chunk in chunks(content.picture_sha256 for content in listed):
                connection.execute(delete(table).where(table.picture_sha256.in_(chunk)))
            if rows:
                connection.execute(insert(table), rows)

    store.write(replace)


def add_provenance(store: StoreWriter, image_set: str, pictures: Iterable[LocalPicture]) -> None:
    """Record how the pictures of a set came to be, in place of what was known before.

    Args:
        store: Where it goes.
        image_set: Name of the set.
        pictures: Those of the set to record; rows of others stay.
    """
    rows = [
        {
            "image_set": image_set,
            "name": picture.name,
            "file_sha256": picture.sha256,
            "model_version": picture.provenance.model_version,
            "prompt": picture.provenance.prompt,
            "negative_prompt": picture.provenance.negative_prompt,
            "seed": None if picture.provenance.seed is None else str(picture.provenance.seed),
            "guidance": picture.provenance.guidance,
            "steps": picture.provenance.steps,
            "workflow": picture.provenance.workflow,
            "url": picture.provenance.url,
        }
        for picture in pictures
    ]

    def replace(connection: Connection) -> None:
        of_this_set = ProvenanceTable.image_set == image_set
        for chunk in chunks(str(row["name"]) for row in rows):
            connection.execute(delete(ProvenanceTable).where(of_this_set, ProvenanceTable.name.in_(chunk)))
        connection.execute(insert(ProvenanceTable), rows)

    store.write(replace)


def provenance(store: Store, image_set: str) -> dict[str, dict[str, str | float | int | None]]:
    """Return how the pictures of a set came to be, by name."""
    table = ProvenanceTable.__table__
    query = select(table).where(ProvenanceTable.image_set == image_set)
    with store.reading() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return {
        str(row["name"]): {key: row[key] for key in row if key not in ("image_set", "name")} for row in rows
    }
