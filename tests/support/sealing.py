"""Seal a damaged stream of our own format again, as somebody would who wants it to reach the decoder."""

from __future__ import annotations

import struct
import zlib

from codecarena.codecs.bitstream import Kind


def sealed(stream: bytes) -> bytes:
    """Return the stream with all checksums right that can be made right without decoding it."""
    if len(stream) < 4 or stream[2] not in set(Kind):
        return stream
    kind = Kind(stream[2])
    packed, payload = stream[: kind.header_bytes - 4], stream[kind.header_bytes :]
    if kind is Kind.LAYERED:  # the header's checksum covers the settings; the chunks have their own
        end = 1 + payload[0] if payload else 0
        return _sealed(packed, payload[:end]) + _chunks(payload[end:])
    return _sealed(packed, payload)


def _sealed(packed: bytes, payload: bytes) -> bytes:
    return packed + struct.pack(">I", zlib.crc32(payload, zlib.crc32(packed))) + payload


def _chunks(payload: bytes) -> bytes:
    made, position = b"", 0
    while position < len(payload):
        length, shift, end = 0, 0, position + 1
        while end < len(payload) and shift < 35:
            length |= (payload[end] & 127) << shift
            shift += 7
            end += 1
            if payload[end - 1] < 128:
                break
        end += length
        if end > len(payload):  # the rest is one chunk that is cut short
            return made + payload[position:]
        made += payload[position:end] + struct.pack(">I", zlib.crc32(payload[position:end]))
        position = end + 4
    return made
