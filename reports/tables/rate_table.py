"""The table of rates: per picture, of the whole set, and what the bytes are spent on."""

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
    flags = {codec_id: codecs[codec_id].marks for codec_id in dict.fromkeys(rate.codec_id for rate in rates)}
    rows = tuple(_row(rate, digits.marks(flags[rate.codec_id], codecs[rate.codec_id].toy)) for rate in rates)
    labels = {rate.codec_id: rate.codec for rate in rates}
    notes = [
        "Bytes are those of the files that the decoder reads, nothing left out. The whole set's rate is all "
        "bits over all pixels: it differs from the mean where pictures differ in size.",
        *(
            note
            for codec_id, codec_flags in flags.items()
            for note in digits.mark_notes(labels[codec_id], codec_flags)
        ),
    ]
    return Table(f"Rates · {selection.image_set}", COLUMNS, rows, tuple(notes))


def _row(rate: SetRate, marked: list[str]) -> Row:
    entries = (
        Entry(" ".join([rate.codec, *marked])),
        Entry(f"{rate.setting:g}", rate.setting),
        Entry(digits.rate(rate.mean_bits_per_pixel), rate.mean_bits_per_pixel),
        Entry(digits.rate(rate.total_bits_per_pixel), rate.total_bits_per_pixel),
        *(_bytes(byte_count) for byte_count in (rate.header_bytes, rate.payload_bytes, rate.side_bytes)),
        Entry(f"{rate.pictures}/{rate.of_pictures}", float(rate.pictures)),
    )
    return Row(entries, asdict(rate))


def _bytes(byte_count: float | None) -> Entry:
    if byte_count is None:
        return Entry(digits.EMPTY)
    return Entry(digits.number(byte_count, 0), byte_count)
