"""Content Credentials, signed as the programs of C2PA's members sign them, and damaged."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from codecarena.datasets.description.metadata import read_metadata

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def picture() -> Image.Image:
    return Image.new("RGB", (64, 72), (90, 120, 30))


FORMATS = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "avif": "image/avif"}


@pytest.fixture(scope="module")
def sign() -> Callable[..., bytes]:
    """Return what signs a picture's Content Credentials as the programs of C2PA's members do."""
    import c2pa
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def certificate(name: str, own: Any, issuer: Any) -> bytes:
        is_issuer, start = own is issuer, datetime.now(UTC) - timedelta(days=1)
        named = [
            x509.Name([
                x509.NameAttribute(x509.NameOID.COMMON_NAME, common),
                x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "test"),
            ])
            for common in (name, "issuer")
        ]  # fmt: skip
        usage = x509.KeyUsage(True, False, False, False, False, is_issuer, is_issuer, False, False)
        email = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
        made = (
            x509.CertificateBuilder(named[1], named[0], own.public_key(), x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=365))
            .add_extension(x509.BasicConstraints(is_issuer, None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False
            )
        )
        made = made if is_issuer else made.add_extension(email, critical=False)
        return made.sign(issuer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    issuer, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    key = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = certificate("leaf", own, issuer) + certificate("issuer", issuer, issuer)
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, key, None))

    def signed(
        data: bytes, form: str, program: str, actions: list[dict[str, Any]], *parts: tuple[str, bytes]
    ) -> bytes:
        assertions = [{"label": "c2pa.actions.v2", "data": {"actions": actions}}]
        claim = {"claim_generator_info": [{"name": program, "version": "1"}], "assertions": assertions}
        builder = c2pa.Builder(json.dumps(claim))
        for relationship, part in parts:
            described = {"title": "part", "relationship": relationship, "label": relationship}
            builder.add_ingredient(json.dumps(described), form, io.BytesIO(part))
        written = io.BytesIO()
        builder.sign(signer, form, io.BytesIO(data), written)
        return written.getvalue()

    return signed


def created(term: str, agent: str) -> dict[str, Any]:
    return {
        "action": "c2pa.created",
        "digitalSourceType": SOURCE + term,
        "softwareAgent": {"name": agent},
    }


OPENED = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parentOf"]}}
PLACED = {"action": "c2pa.placed", "parameters": {"ingredientIds": ["componentOf"]}}


@pytest.mark.parametrize("suffix", FORMATS)
def test_content_credentials_are_followed_back_to_what_made_the_picture(
    tmp_path: Path, sign: Callable[..., bytes], suffix: str
) -> None:
    form, whole = FORMATS[suffix], io.BytesIO()
    picture().save(whole, {"jpg": "JPEG"}.get(suffix, suffix.upper()))

    def said(data: bytes) -> tuple[str | None, str | None]:
        (tmp_path / f"a.{suffix}").write_bytes(data)
        metadata = read_metadata(tmp_path / f"a.{suffix}")
        assert metadata.marks == ("C2PA",)
        return metadata.kind, metadata.generator

    generated = sign(whole.getvalue(), form, "service", [created("trainedAlgorithmicMedia", "Painter 4")])
    photograph = sign(whole.getvalue(), form, "camera", [created("digitalCapture", "Camera")])
    assert said(generated) == ("ai-generated", "Painter 4")
    assert said(photograph) == ("natural", None)
    cropped = [OPENED, {"action": "c2pa.cropped"}]
    assert said(sign(generated, form, "Editor", cropped, ("parentOf", generated))) == (
        "ai-generated",
        "Painter 4",
    )
    assert said(sign(photograph, form, "Editor", cropped, ("parentOf", photograph))) == ("natural", None)
    by_model = {"action": "c2pa.edited", "digitalSourceType": f"{SOURCE}trainedAlgorithmicMedia"}
    filled = sign(photograph, form, "Editor", [OPENED, by_model], ("parentOf", photograph))
    assert said(filled) == ("composite", "Editor")
    placed = [OPENED, PLACED]
    parts = ("parentOf", photograph), ("componentOf", generated)
    assert said(sign(photograph, form, "Editor", placed, *parts)) == ("composite", "Painter 4")


def test_credentials_whose_boxes_are_damaged_are_searched_for_source_types(tmp_path: Path) -> None:
    picture().save(tmp_path / "a.png")
    data = b"\0\0\0\x40jumb damaged " + f"{SOURCE}trainedAlgorithmicMedia".encode()
    chunk = len(data).to_bytes(4) + b"caBX" + data + zlib.crc32(b"caBX" + data).to_bytes(4)
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[:33] + chunk + whole[33:])
    assert read_metadata(tmp_path / "a.png").kind == "ai-generated"
