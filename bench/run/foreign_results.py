"""Read result files of other tools: CompressAI's JSON, tables of means, tables of reconstructions."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any, cast, get_args

from ...home_folder import expanded
from ...text_file import TextFileError, TextTable, decode_text, parse_table
from ..metrics.base import MetricError
from ..metrics.registry import facts_of
from ..records.metric_facts import MetricFacts, outside_range
from ..records.rows import RateKind
from .foreign_records import SIZES, Content, InterchangeError, PublishedPoint, Reconstruction

METRICS: Mapping[str, tuple[str, Callable[[float], float]]] = {
    "psnr-rgb": ("psnr", float),
    "psnr": ("psnr", float),
    "ms-ssim-rgb": ("ms-ssim", float),
    "ms-ssim": ("ms-ssim", float),
    "ms-ssim-db-rgb": ("ms-ssim", lambda decibel: 1 - 10 ** (-decibel / 10)),
}
"""Our name and scale of what others call their metrics; names not here are kept."""
TIMES = {"encoding_time": "encode_seconds", "decoding_time": "decode_seconds"}
ESTIMATES = re.compile(r"entropy[-_ ]?estimation", re.IGNORECASE)
"""What CompressAI's ``eval_model --entropy-estimation`` writes into its description."""


def read(
    path: Path,
    image_set: str | None = None,
    codec: str | None = None,
    rate_kind: RateKind | None = None,
) -> Content:
    """Return what a file holds; its kind is seen from its suffix and columns.

    Args:
        path: ``.json`` as CompressAI writes it, or a folder of the files of its ``--per-image``; ``.csv``
            with a column ``decoded`` for reconstructions, or with ``bpp`` and columns of means, as
            NeuralCompression's ``results.csv``.
        image_set: Of the points, where the file does not say.
        codec: Label of the codec; None takes the file's.
        rate_kind: Whether its rates are bytes or estimates; None takes the file's word, else bytes.

    Raises:
        InterchangeError: The file is of no such kind, or something in it is missing or no number.
    """
    content = _read(path, image_set, codec)
    if rate_kind is None:
        return content
    return replace(
        content,
        points=tuple(replace(point, rate_kind=rate_kind) for point in content.points),
        reconstructions=tuple(replace(row, rate_kind=rate_kind) for row in content.reconstructions),
    )


def _read(path: Path, image_set: str | None, codec: str | None) -> Content:
    if path.is_dir():
        return _pictures_of_compressai(path, image_set, codec)
    data, text = _content(path)
    sha256 = hashlib.sha256(data).hexdigest()
    if path.suffix.lower() == ".json":
        points, origin = _compressai(path, text, image_set, codec)
        return Content(points, (), sha256, origin)
    try:
        table = parse_table(text, path, ("picture", "decoded", *SIZES))
    except TextFileError as error:
        raise InterchangeError(str(error)) from error
    if "decoded" in table.columns:
        return Content((), tuple(_reconstructions(path, table, codec)), sha256)
    if "bpp" in table.columns:
        return Content(tuple(_means(path, table, image_set, codec)), (), sha256)
    raise InterchangeError(
        f"{path}: expected CompressAI's JSON, or CSV with a column 'decoded' (reconstructions) or 'bpp' "
        f"(means of a set); its columns are {', '.join(table.columns) or 'none'}"
    )


def _content(path: Path) -> tuple[bytes, str]:
    try:
        data = path.read_bytes()
        return data, decode_text(data, path)
    except OSError as error:
        raise InterchangeError(f"{path}: cannot be read ({error.strerror})") from error
    except TextFileError as error:
        raise InterchangeError(str(error)) from error


# Any: a file may hold anything; every value that is used is checked.
def _object(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InterchangeError(f"{path}: not JSON: {error}") from error


def _pictures_of_compressai(folder: Path, image_set: str | None, codec: str | None) -> Content:
    """Return the means of files of single pictures, ``PICTURE-MODEL.json``: a point for each model.

    Source: CompressAI 1.2.8, ``eval_model --per-image``.
    """
    if not image_set:
        raise InterchangeError(f"{folder}: name the --set: files of single pictures do not say it")
    digest = hashlib.sha256()
    models: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    estimated: set[tuple[str, str]] = set()
    for path in sorted(folder.rglob("*.json")):
        data, text = _content(path)
        digest.update(data)
        content = _object(path, text)
        results: Any = content.get("results") if isinstance(content, dict) else None
        if not isinstance(results, dict) or isinstance(results.get("bpp"), list):
            raise InterchangeError(
                f"{path}: expected one picture's results, numbers as CompressAI's --per-image writes them"
            )
        picture, name = str(content.get("source", "")), str(codec or content.get("name") or "")
        if not picture or not name or not path.stem.startswith(f"{picture}-"):
            raise InterchangeError(f"{path}: expected a source, a name, and SOURCE-MODEL.json as file name")
        key = name, path.stem.removeprefix(f"{picture}-")
        models[key][picture] = results
        if ESTIMATES.search(str(content.get("description", ""))):
            estimated.add(key)
    pictures = {name for model in models.values() for name in model}
    points: list[PublishedPoint] = []
    for (name, model), results_of_picture in models.items():
        if lacking := sorted(pictures - results_of_picture.keys()):
            raise InterchangeError(f"{folder}: {model} lacks {lacking[0]}, which others have: no like means")
        values = [
            _numbers(folder, f"{picture}-{model}.json", results)
            for picture, results in results_of_picture.items()
        ]
        shared = set.intersection(*(set(value) for value in values))
        means: dict[str, Any] = {key: fmean(value[key] for value in values) for key in sorted(shared)}
        means["rate_kind"] = "estimated" if (name, model) in estimated else "bytes"
        points.append(_point(folder, model, image_set, name, means))
    if not points:
        raise InterchangeError(f"{folder}: holds no JSON files")
    origin = f"means of {len(pictures)} pictures' files"
    return Content(
        tuple(sorted(points, key=lambda point: (point.codec, point.bits_per_pixel))),
        (),
        digest.hexdigest(),
        origin,
    )


def _numbers(path: Path, place: str, values: Mapping[str, Any]) -> dict[str, float]:
    return {key: _number(path, f"{place}, {key}", value, _infinite(key)) for key, value in values.items()}


def _infinite(key: str) -> bool:
    """Whether infinity is what a metric gives for identical pictures, as CompressAI writes it."""
    name, convert = _metric_of(key)
    facts = _facts_of(name)
    return facts is not None and facts.perfect == convert(math.inf)


def _compressai(
    path: Path, text: str, image_set: str | None, codec: str | None
) -> tuple[tuple[PublishedPoint, ...], str]:
    content = _object(path, text)
    results: Any = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, dict) or not isinstance(results.get("bpp"), list):
        raise InterchangeError(
            f"{path}: expected an object with results.bpp, a list, as CompressAI writes it; "
            "of files of single pictures (--per-image) import the folder"
        )
    meta: Any = content.get("meta")
    meta = cast("dict[str, Any]", meta) if isinstance(meta, dict) else {}
    name, dataset = codec or content.get("name"), image_set or meta.get("dataset")
    if not name or not dataset:
        what = "--codec: the file has no name" if dataset else "--set: the file does not say its image set"
        raise InterchangeError(f"{path}: name the {what}")
    estimated = ESTIMATES.search(str(content.get("description", "")))
    rate_kind = meta.get("rate_kind", "estimated" if estimated else "bytes")
    lists = {str(key): value for key, value in results.items()}
    if qualities := meta.get("qualities"):
        lists["quality"] = qualities
    count = len(lists["bpp"])
    for key, value in lists.items():
        if not isinstance(value, list) or len(value) != count:
            raise InterchangeError(f"{path}: results.{key}: expected a list of {count} numbers, as bpp is")
    points = [
        _point(
            path,
            f"results, place {place}",
            str(dataset),
            str(name),
            {"rate_kind": rate_kind} | {key: lists[key][place] for key in lists},
        )
        for place in range(count)
    ]
    origin = "; ".join(
        str(part) for part in (content.get("description"), meta.get("source"), meta.get("url")) if part
    )
    return tuple(sorted(points, key=lambda point: point.bits_per_pixel)), origin


def _means(path: Path, table: TextTable, image_set: str | None, codec: str | None) -> list[PublishedPoint]:
    points: list[PublishedPoint] = []
    for line, row in ((row.line, row.cells) for row in table.rows):
        values: dict[str, Any] = {key: value for key, value in row.items() if value}
        name = next((values.pop(key) for key in ("model", "codec") if key in values), None)
        dataset = next((values.pop(key) for key in ("dataset", "image_set") if key in values), None)
        name, dataset = codec or name, image_set or dataset
        if not name or not dataset:
            raise InterchangeError(
                f"{path}, line {line}: expected columns 'model' and 'dataset', or --codec and --set"
            )
        points.append(_point(path, f"line {line}", dataset, name, values))
    return points


def _point(path: Path, place: str, image_set: str, codec: str, values: Mapping[str, Any]) -> PublishedPoint:
    rate_kind = _rate_kind(path, place, values.get("rate_kind", "bytes"))
    numbers = _numbers(path, place, {key: value for key, value in values.items() if key != "rate_kind"})
    if "bpp" not in numbers:
        raise InterchangeError(f"{path}, {place}: no bpp")
    if numbers["bpp"] <= 0:
        raise InterchangeError(f"{path}, {place}, bpp: expected more than 0, got {numbers['bpp']:g}")
    times = {TIMES[key]: value for key, value in numbers.items() if key in TIMES}
    scores: dict[str, float] = {}
    for key, value in numbers.items():
        if key in ("bpp", "quality", *TIMES):
            continue
        name, convert = _metric_of(key)
        score = convert(value)
        if problem := _outside(name, score):
            raise InterchangeError(f"{path}, {place}, {key}: {problem}")
        # Of identical pictures an unbounded metric has no number, as among scores of our own.
        if math.isfinite(score):
            scores[name] = score
    return PublishedPoint(
        image_set, codec, numbers["bpp"], scores, numbers.get("quality"), **times, rate_kind=rate_kind
    )


def _rate_kind(path: Path, place: str, written: object) -> RateKind:
    for kind in cast("tuple[RateKind, ...]", get_args(RateKind)):
        if str(written).strip().lower() == kind:
            return kind
    raise InterchangeError(f"{path}, {place}, rate_kind: expected bytes or estimated; got {written!r}")


def _metric_of(key: str) -> tuple[str, Callable[[float], float]]:
    """Return codecarena's name of a metric that a file names, and the function that converts its values."""
    plain = key.replace("_", "-")
    return METRICS.get(plain, (plain, float))


@cache
def _facts_of(name: str) -> MetricFacts | None:
    try:
        return facts_of(name)
    except MetricError:
        return None  # a metric that is not known here is kept under the file's name for it


def _outside(name: str, score: float) -> str | None:
    """Return why a metric cannot have this mean, or None where it can or is not known here."""
    facts = _facts_of(name)
    if facts is None:
        return None
    problem = outside_range(facts.lowest, facts.highest, score)
    if problem is None:
        return None
    in_decibels = facts.curve_scale == "decibel" and score > 1
    return problem + ("; of values in decibels call the column ms-ssim-db-rgb" if in_decibels else "")


def _reconstructions(path: Path, table: TextTable, codec: str | None) -> list[Reconstruction]:
    unit = next((name for name in SIZES if name in table.columns), None)
    if unit is None or "picture" not in table.columns:
        raise InterchangeError(
            f"{path}: expected the columns picture, decoded and one of {', '.join(SIZES)}; "
            f"it has {', '.join(table.columns)}"
        )
    reconstructions: list[Reconstruction] = []
    first: dict[tuple[str, str, float, int | None], int] = {}
    for line, row in ((row.line, row.cells) for row in table.rows):
        reconstruction = _reconstruction(path, line, row, unit, codec)
        key = (reconstruction.codec, reconstruction.picture, reconstruction.quality, reconstruction.seed)
        if key in first:
            raise InterchangeError(
                f"{path}, line {line}: {reconstruction.codec} on {reconstruction.picture} stands in line "
                f"{first[key]} already; tell them apart by a column quality or seed"
            )
        first[key] = line
        reconstructions.append(reconstruction)
    if not reconstructions:
        raise InterchangeError(f"{path}: no rows")
    return reconstructions


def _reconstruction(
    path: Path, line: int, row: Mapping[str, str], unit: str, codec: str | None
) -> Reconstruction:
    def number(name: str) -> float | None:
        return _number(path, f"line {line}, {name}", row[name]) if row.get(name) else None

    label, size, seed = codec or row.get("codec"), number(unit), number("seed")
    if seed is not None and not seed.is_integer():
        raise InterchangeError(f"{path}, line {line}, seed: expected a whole number, got {row['seed']!r}")
    if not label:
        raise InterchangeError(f"{path}, line {line}: no codec; add a column of that name, or --codec")
    if not row["picture"] or not row["decoded"] or size is None or size <= 0:
        raise InterchangeError(
            f"{path}, line {line}: expected a picture, its decoded file and {unit} above 0"
        )
    return Reconstruction(
        line,
        row["picture"],
        _beside(path, row["decoded"]),
        label,
        size,
        unit,
        number("quality") or 0.0,
        None if seed is None else int(seed),
        number("encode_seconds"),
        number("decode_seconds"),
        _rate_kind(path, f"line {line}", row.get("rate_kind") or "bytes"),
    )


def _beside(path: Path, name: str) -> Path:
    """Return the path of a file that a table names, from the table's folder; backslashes may part folders."""
    folder = path.absolute().parent
    as_written = folder / expanded(name)
    return as_written if as_written.exists() else folder / expanded(name.replace("\\", "/"))


def _number(path: Path, place: str, value: object, infinite: bool = False) -> float:
    try:
        number = float(cast("str", value))
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) and not (infinite and number == math.inf):
        hint = "; write a decimal point" if re.fullmatch(r"\s*[-+]?\d+,\d+\s*", str(value)) else ""
        raise InterchangeError(f"{path}, {place}: expected a number, got {value!r}{hint}")
    return number
