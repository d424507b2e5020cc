"""Turn one part of a store into rates: of pictures, of the whole set, and what the bytes are for."""

from __future__ import annotations

from dataclasses import asdict

from ...bench.analysis.codec_grids import grids
from ...bench.analysis.rates import SetRate, set_rates
from . import digits
from .selection import Selection
from .table import Column, Entry, Row, Table

COLUMNS = (
    Column("Codec", numeric=False),
    Column("Setting", help="On the codec's own scale."),
    Column("Mean of pictures", "bits/pixel", help="Mean of the pictures' bits per pixel."),
    Column("Whole set", "bits/pixel", help="All bits over all pixels."),
    Column("Header", "bytes", help="Sizes, magic numbers, container boxes; mean of a picture."),
    Column("Payload", "bytes", help="Coded pixels; mean of a picture."),
    Column("Side", "bytes", help="Everything else the decoder reads: captions, palettes, layers."),
    Column("Pictures", help="Pictures that the codec coded at this setting, of those that any did."),
)


def rate_table(selection: Selection) -> Table:
    """Return the rates of every codec at every setting."""
    rates = set_rates(selection.columns, selection.grids, selection.byte_parts())
    # Every bitstream was verified or not, those of searches too.
    codecs = {grid.codec.codec_id: grid.codec for grid in grids(selection.columns, probes=True)}
    found = {one: codecs[one].marks for one in dict.fromkeys(rate.codec_id for rate in rates)}
    rows = tuple(_row(rate, digits.marks(found[rate.codec_id], codecs[rate.codec_id].toy)) for rate in rates)
    labels = {rate.codec_id: rate.codec for rate in rates}
    notes = [
        "Bytes are those of the files that the decoder reads, nothing left out. The whole set's rate is all "
        "bits over all pixels: it differs from the mean where pictures differ in size.",
        *(note for codec_id, one in found.items() for note in digits.mark_notes(labels[codec_id], one)),
    ]
    return Table(f"Rates · {selection.image_set}", COLUMNS, rows, tuple(notes))


def _row(one: SetRate, marked: list[str]) -> Row:
    entries = (
        Entry(" ".join([one.codec, *marked])),
        Entry(f"{one.setting:g}", one.setting),
        Entry(digits.rate(one.mean_bits_per_pixel), one.mean_bits_per_pixel),
        Entry(digits.rate(one.total_bits_per_pixel), one.total_bits_per_pixel),
        *(_bytes(selection) for selection in (one.header_bytes, one.payload_bytes, one.side_bytes)),
        Entry(f"{one.pictures}/{one.of_pictures}", float(one.pictures)),
    )
    return Row(entries, asdict(one))


def _bytes(part: float | None) -> Entry:
    return Entry(digits.EMPTY) if part is None else Entry(digits.number(part, 0), part)
