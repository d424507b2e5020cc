"""The metrics that pyiqa lists, with what it leaves out: direction, range as numbers, perfect value.

Kept as a table so that listing imports neither pyiqa nor torch; a test compares the names with pyiqa's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

from ..records.metric_facts import Direction, MetricFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

# name, needs, better, lowest and highest value that the definition allows, value of equal pictures (- where
# there is none). What a network or a regression puts out has no bounds, whatever range pyiqa states for it.
# Directions differ from pyiqa's table in one place: dmm is a distance there too, though it is not marked so.
# pyiqa's psnr adds 1e-8 to the error, so that equal pictures give 80 dB.
_TABLE = """
afine_all pair lower -inf inf -
afine_all_scale pair lower -inf inf -
afine_fr pair lower -inf inf -
afine_nr decoded lower -inf inf -
ahiq pair higher -inf inf -
arniqa decoded higher -inf inf -
arniqa-clive decoded higher -inf inf -
arniqa-csiq decoded higher -inf inf -
arniqa-flive decoded higher -inf inf -
arniqa-kadid decoded higher -inf inf -
arniqa-live decoded higher -inf inf -
arniqa-spaq decoded higher -inf inf -
arniqa-tid decoded higher -inf inf -
brisque decoded lower -inf inf -
brisque_matlab decoded lower -inf inf -
ckdn pair higher -inf inf -
clipiqa decoded higher 0 1 -
clipiqa+ decoded higher 0 1 -
clipiqa+_rn50_512 decoded higher 0 1 -
clipiqa+_vitL14_512 decoded higher 0 1 -
clipscore decoded higher 0 2.5 -
cnniqa decoded higher -inf inf -
compare2score decoded higher -inf inf -
cw_ssim pair higher 0 1 1
dbcnn decoded higher -inf inf -
deepdc pair lower 0 inf 0
dists pair lower 0 inf 0
dmm pair lower 0 inf 0
entropy decoded higher 0 8 -
fgresq decoded higher -inf inf -
fgresq_pair pair higher -inf inf -
fid decoded lower 0 inf -
fid_dinov2 decoded lower 0 inf -
fsim pair higher 0 1 1
gmsd pair lower 0 1 0
hyperiqa decoded higher -inf inf -
ilniqe decoded lower 0 inf -
inception_score decoded higher 0 inf -
laion_aes decoded higher -inf inf -
liqe decoded higher 1 5 -
liqe_mix decoded higher 1 5 -
lpips pair lower 0 inf 0
lpips+ pair lower 0 inf 0
lpips-vgg pair lower 0 inf 0
lpips-vgg+ pair lower 0 inf 0
maclip decoded higher -inf inf -
mad pair lower 0 inf 0
maniqa decoded higher -inf inf -
maniqa-kadid decoded higher -inf inf -
maniqa-pipal decoded higher -inf inf -
metaiqa decoded higher -inf inf -
ms_ssim pair higher 0 1 1
msswd pair lower 0 inf 0
musiq decoded higher -inf inf -
musiq-ava decoded higher -inf inf -
musiq-paq2piq decoded higher -inf inf -
musiq-spaq decoded higher -inf inf -
nima decoded higher -inf inf -
nima-koniq decoded higher -inf inf -
nima-spaq decoded higher -inf inf -
nima-vgg16-ava decoded higher -inf inf -
niqe decoded lower 0 inf -
niqe_matlab decoded lower 0 inf -
nlpd pair lower 0 inf 0
nrqm decoded higher -inf inf -
paq2piq decoded higher -inf inf -
pi decoded lower -inf inf -
pieapp pair lower -inf inf 0
piqe decoded lower 0 100 -
psnr pair higher 0 80 80
psnry pair higher 0 80 80
qalign decoded higher -inf inf -
qalign_4bit decoded higher -inf inf -
qalign_8bit decoded higher -inf inf -
qrealign decoded higher -inf inf -
qrealign-lite decoded higher -inf inf -
qrealign-mini decoded higher -inf inf -
qrealign-pro decoded higher -inf inf -
qualiclip decoded higher -inf inf -
qualiclip+ decoded higher -inf inf -
qualiclip+-clive decoded higher -inf inf -
qualiclip+-flive decoded higher -inf inf -
qualiclip+-spaq decoded higher -inf inf -
sfid decoded lower 0 inf -
ssim pair higher -1 1 1
ssimc pair higher -1 1 1
stlpips pair lower 0 inf 0
stlpips-vgg pair lower 0 inf 0
topiq_fr pair higher -inf inf -
topiq_fr-pipal pair higher -inf inf -
topiq_iaa decoded higher -inf inf -
topiq_iaa_res50 decoded higher -inf inf -
topiq_nr decoded higher -inf inf -
topiq_nr-face decoded higher -inf inf -
topiq_nr-face-v1 decoded higher -inf inf -
topiq_nr-flive decoded higher -inf inf -
topiq_nr-spaq decoded higher -inf inf -
topiq_nr_swin-face decoded higher -inf inf -
tres decoded higher -inf inf -
tres-flive decoded higher -inf inf -
unique decoded higher -inf inf -
uranker decoded higher -inf inf -
vif pair higher 0 inf 1
vsi pair higher 0 1 1
wadiqam_fr pair higher -inf inf -
wadiqam_nr decoded higher -inf inf -
"""

_SIMILARITIES = ("ms_ssim", "ssim", "ssimc")
"""They crowd against 1 as those of the built-in metrics do."""
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
    facts: MetricFacts
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
        facts=MetricFacts(
            better=cast("Direction", better),
            lowest=float(lowest),
            highest=float(highest),
            perfect=None if perfect == "-" else float(perfect),
            curve_scale="decibel" if name in _SIMILARITIES else "linear",
        ),
        refused=_REFUSED.get(name),
    )
