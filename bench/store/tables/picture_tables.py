"""The tables about pictures beside their pixels: where they come from and what is on them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from .schema import Base


class ProvenanceTable(Base):
    """How one picture of a set came to be, as far as its manifest says."""

    __tablename__ = "picture_provenance"

    image_set: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    file_sha256: Mapped[str | None]
    model_version: Mapped[str | None] = mapped_column(Text)
    prompt: Mapped[str | None] = mapped_column(Text)
    negative_prompt: Mapped[str | None] = mapped_column(Text)
    seed: Mapped[str | None]
    """In digits: generators draw seeds up to 2^64, more than a database's integers hold."""
    guidance: Mapped[float | None]
    steps: Mapped[int | None]
    workflow: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)


class DescriptorTable(Base):
    """One number about the content of one picture."""

    __tablename__ = "picture_descriptors"

    picture_sha256: Mapped[str] = mapped_column(ForeignKey("pictures.sha256"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float]


class PrintTable(Base):
    """The perceptual hash of one picture."""

    __tablename__ = "picture_prints"

    picture_sha256: Mapped[str] = mapped_column(ForeignKey("pictures.sha256"), primary_key=True)
    perceptual: Mapped[str]
    version: Mapped[str]
    """Of the definitions of the descriptors that were stored with it; another one replaces both."""
