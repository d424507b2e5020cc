"""The metrics that pyiqa lists, with what it leaves out: direction, range as numbers, perfect value.

Kept as a table so that listing imports neither pyiqa nor torch; a test compares the names with pyiqa's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

# name, needs, better, lowest and highest usual value, value of equal pictures (- where there is none).
# Directions differ from pyiqa's table in one place: dmm is a distance there too, though it is not marked so.
# pyiqa's psnr adds 1e-8 to the error, so that equal pictures give 80 dB.
_TABLE = """
afine_all pair lower -inf 2 -
afine_all_scale pair lower 0 100 -
afine_fr pair lower -2 2 -
afine_nr decoded lower -2 2 -
ahiq pair higher 0 1 -
arniqa decoded higher 0 1 -
arniqa-clive decoded higher 0 1 -
arniqa-csiq decoded higher 0 1 -
arniqa-flive decoded higher 0 1 -
arniqa-kadid decoded higher 0 1 -
arniqa-live decoded higher 0 1 -
arniqa-spaq decoded higher 0 1 -
arniqa-tid decoded higher 0 1 -
brisque decoded lower 0 150 -
brisque_matlab decoded lower 0 100 -
ckdn pair higher 0 1 -
clipiqa decoded higher 0 1 -
clipiqa+ decoded higher 0 1 -
clipiqa+_rn50_512 decoded higher 0 1 -
clipiqa+_vitL14_512 decoded higher 0 1 -
clipscore decoded higher 0 2.5 -
cnniqa decoded higher 0 1 -
compare2score decoded higher 0 100 -
cw_ssim pair higher 0 1 1
dbcnn decoded higher 0 1 -
deepdc pair lower 0 1 0
dists pair lower 0 1 0
dmm pair lower 0 inf 0
entropy decoded higher 0 8 -
fgresq decoded higher 0 1 -
fgresq_pair pair higher 0 1 -
fid decoded lower 0 inf -
fid_dinov2 decoded lower 0 inf -
fsim pair higher 0 1 1
gmsd pair lower 0 1 0
hyperiqa decoded higher 0 1 -
ilniqe decoded lower 0 100 -
inception_score decoded higher 0 inf -
laion_aes decoded higher 1 10 -
liqe decoded higher 1 5 -
liqe_mix decoded higher 1 5 -
lpips pair lower 0 1 0
lpips+ pair lower 0 1 0
lpips-vgg pair lower 0 1 0
lpips-vgg+ pair lower 0 1 0
maclip decoded higher 0 1 -
mad pair lower 0 inf 0
maniqa decoded higher 0 1 -
maniqa-kadid decoded higher 0 1 -
maniqa-pipal decoded higher 0 1 -
metaiqa decoded higher 0 1 -
ms_ssim pair higher 0 1 1
msswd pair lower 0 10 0
musiq decoded higher 0 100 -
musiq-ava decoded higher 1 10 -
musiq-paq2piq decoded higher 0 100 -
musiq-spaq decoded higher 0 100 -
nima decoded higher 0 10 -
nima-koniq decoded higher 0 1 -
nima-spaq decoded higher 0 1 -
nima-vgg16-ava decoded higher 0 10 -
niqe decoded lower 0 100 -
niqe_matlab decoded lower 0 100 -
nlpd pair lower 0 1 0
nrqm decoded higher 0 10 -
paq2piq decoded higher 0 100 -
pi decoded lower 0 inf -
pieapp pair lower 0 5 0
piqe decoded lower 0 100 -
psnr pair higher 0 40 80
psnry pair higher 0 60 80
qalign decoded higher 1 5 -
qalign_4bit decoded higher 1 5 -
qalign_8bit decoded higher 1 5 -
qrealign decoded higher 0 1 -
qrealign-lite decoded higher 0 1 -
qrealign-mini decoded higher 0 1 -
qrealign-pro decoded higher 0 1 -
qualiclip decoded higher 0 1 -
qualiclip+ decoded higher 0 1 -
qualiclip+-clive decoded higher 0 1 -
qualiclip+-flive decoded higher 0 1 -
qualiclip+-spaq decoded higher 0 1 -
sfid decoded lower 0 inf -
ssim pair higher 0 1 1
ssimc pair higher 0 1 1
stlpips pair lower 0 1 0
stlpips-vgg pair lower 0 1 0
topiq_fr pair higher 0 1 -
topiq_fr-pipal pair higher 0 1 -
topiq_iaa decoded higher 1 10 -
topiq_iaa_res50 decoded higher 1 10 -
topiq_nr decoded higher 0 1 -
topiq_nr-face decoded higher 0 1 -
topiq_nr-face-v1 decoded higher 0 1 -
topiq_nr-flive decoded higher 0 1 -
topiq_nr-spaq decoded higher 0 1 -
topiq_nr_swin-face decoded higher 0 1 -
tres decoded higher 0 100 -
tres-flive decoded higher 0 100 -
unique decoded higher -3 3 -
uranker decoded higher -1 2 -
vif pair higher 0 1 1
vsi pair higher 0 1 1
wadiqam_fr pair higher -1 0.1 -
wadiqam_nr decoded higher -1 0.1 -
"""

_A_SET = "it compares two sets of pictures, not one picture; fid and kid of sets: `codecarena score-set`"
_REFUSED = {
    "fgresq_pair": "it says which of two pictures is better, not how good one is; use pyiqa:fgresq",
    "fid": _A_SET,
    "fid_dinov2": _A_SET,
    "inception_score": _A_SET,
    "sfid": _A_SET,
}


@dataclass(frozen=True, slots=True)
class IqaName:
    """What is known of a pyiqa metric before it is made."""

    name: str
    """As pyiqa calls it."""
    needs: Literal["pair", "decoded"]
    better: Literal["higher", "lower"]
    lowest: float
    """The lower end of usual values; -inf where there is none."""
    highest: float
    """The upper end of usual values; inf where there is none."""
    perfect: float
    """The value of equal pictures; NaN where it depends on the picture."""
    refused: str | None
    """Why this version does not offer it, or None."""


@cache
def iqa_names() -> Mapping[str, IqaName]:
    """Return every pyiqa metric by its name there, in alphabetical order."""
    return MappingProxyType({row.name: row for row in map(_row, _TABLE.split("\n")[1:-1])})


def _row(line: str) -> IqaName:
    name, needs, better, lowest, highest, perfect = line.split()
    return IqaName(
        name=name,
        needs=cast("Literal['pair', 'decoded']", needs),
        better=cast("Literal['higher', 'lower']", better),
        lowest=float(lowest),
        highest=float(highest),
        perfect=float("nan" if perfect == "-" else perfect),
        refused=_REFUSED.get(name),
    )
