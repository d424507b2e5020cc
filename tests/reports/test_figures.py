"""Figures for papers: sixty codecs stay tellable, nothing is cut, and files say what they show."""

from __future__ import annotations

import ast
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from imported import ROOT, imports_of
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from arena import call
from codecarena.bench.store.store import Store
from codecarena.reports.charts.chart_points import SpanPoint, TradePoint
from codecarena.reports.charts.figures import COLUMNS, PAGE, About, Layout, export
from codecarena.reports.charts.line_styles import COLOURS, DARK, distinct_labels, line_styles
from codecarena.reports.charts.rd_figure import rate_distortion
from codecarena.reports.charts.span_figure import spans, trade
from codecarena.reports.tables.leaderboard_tables import RatePoint

DEMO = [
    *("avif", "avif-svt", "heic", "hfd", "hyperprior", "jpeg", "jpeg2000", "jpegli", "jpegxl", "jpegxr"),
    *("latent", "layered", "mozjpeg", "vvc(preset=fast)", "webp", "zoo", "illm"),
]
RELATIVES = [{"avif", "avif-svt"}, {"jpeg", "jpegli", "mozjpeg"}, {"jpeg2000", "jpegxr"}]
LONG = "an entry of a published table with a rather long name (published)"


def curves(*codecs: str) -> list[RatePoint]:
    return [
        RatePoint(codec, setting, 0.1 * setting, 30.0 + place + setting)
        for place, codec in enumerate(codecs)
        for setting in (1, 2)
    ]


def legend_of(figure: Figure) -> list[str]:
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def boxes(figure: Figure) -> dict[str, Any]:
    """Return where everything of a figure lies, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    parts = {"axes": figure.axes[0].get_tightbbox(renderer)}
    parts |= {
        f"legend{place}": legend.get_window_extent(renderer) for place, legend in enumerate(figure.legends)
    }
    parts |= {f"text{place}": text.get_window_extent(renderer) for place, text in enumerate(figure.texts)}
    return parts


def assert_nothing_is_cut(figure: Figure) -> None:
    """Assert that all parts lie inside the figure and none upon another."""
    parts, (width, height) = boxes(figure), figure.get_size_inches() * figure.dpi
    for name, box in parts.items():
        assert box.x0 >= -1, name
        assert box.y0 >= -1, name
        assert box.x1 <= width + 1, name
        assert box.y1 <= height + 1, name
        for other, beside in parts.items():
            if name < other:
                overlap_x = min(box.x1, beside.x1) - max(box.x0, beside.x0)
                overlap_y = min(box.y1, beside.y1) - max(box.y0, beside.y0)
                assert min(overlap_x, overlap_y) <= 2, (name, other)


def test_codecs_that_are_no_relatives_share_no_colour() -> None:
    styles = line_styles(DEMO)
    for first in DEMO:
        for second in DEMO:
            related = first == second or any({first, second} <= relatives for relatives in RELATIVES)
            for ground in ("colour", "dark"):
                alike = getattr(styles[first], ground) == getattr(styles[second], ground)
                assert alike is related, (first, second, ground)
    assert len(set(COLOURS)) == len(set(DARK.values())) == 16


def test_a_codec_of_a_recipe_is_called_after_the_recipe() -> None:
    styles = line_styles(
        ["command(recipe=glc.toml)", "command(recipe=glc.toml, steps=2)", "command(recipe=hific.toml)"]
    )
    glc, steps, hific = styles.values()
    assert glc.colour == steps.colour != hific.colour
    assert glc != steps


@pytest.mark.parametrize(
    "labels",
    [
        [f"codec{place}" for place in range(60)],
        [f"zoo(arch=mbt2018-mean, checkpoint=epoch-{place}.pth.tar)" for place in range(60)],
        [*DEMO, *(f"jpeg(restart={place})" for place in range(30)), *(f"mozjpeg(x={n})" for n in range(13))],
    ],
)
def test_sixty_codecs_look_and_are_called_differently(labels: list[str]) -> None:
    styles = line_styles(labels)
    for ground in ("colour", "dark"):
        looks = [(getattr(look, ground), look.marker, look.dashes) for look in styles.values()]
        assert len(set(looks)) == len(labels) == 60
    assert styles == line_styles(labels[::-1])
    assert line_styles(["jpeg"])["jpeg"] == line_styles([*labels, "jpeg"])["jpeg"]
    figure = rate_distortion(curves(*labels), styles, metric="PSNR", layout=COLUMNS[1])
    assert len(set(legend_of(figure))) == 60
    assert_nothing_is_cut(figure)
    wide = rate_distortion(curves(*labels), styles, metric="PSNR", layout=COLUMNS[2])
    assert len(set(legend_of(wide))) == 60
    assert wide.get_size_inches()[1] < 9.5  # of a page of 11 inches


@pytest.mark.parametrize(
    ("labels", "longest", "shown"),
    [
        (["jpeg", "webp"], 4, ["jpeg", "webp"]),
        (
            ["latent(backend=stable-diffusion, steps=32)", "latent(backend=stable-diffusion, steps=64)"],
            24,
            ["latent(…, steps=32)", "latent(…, steps=64)"],
        ),
        (["a" * 30 + "1" + "b" * 30, "a" * 30 + "2" + "b" * 30], 20, [
            "aaaaaa…aaaaaa1bbbbb…", "aaaaaa…aaaaaa2bbbbb…",
        ]),
        (["the-same-beginning-base (published)", "the-same-beginning-large (published)"], 28, [
            "the-s…nning-base (published)", "the-s…ning-large (published)",
        ]),
        (["x" * 40], 10, ["xxxxxxxxx…"]),
        (["y" * 12, "y" * 13], 5, ["y" * 12, "y" * 13]),  # nothing shorter tells them apart
    ],
)  # fmt: skip
def test_a_long_name_keeps_what_tells_it_apart(labels: list[str], longest: int, shown: list[str]) -> None:
    assert list(distinct_labels(labels, longest).values()) == shown


@pytest.mark.parametrize("layout", [PAGE, COLUMNS[1], COLUMNS[2]], ids=["page", "one column", "two"])
def test_published_and_long_names_are_whole_and_their_note_stands_below(layout: Layout) -> None:
    theirs = curves(LONG)
    note = "Published curves are means over a whole set; the others are means over 3 pictures."
    figure = rate_distortion(
        curves(*DEMO), line_styles(DEMO), metric="MS-SSIM", title=90 * "long ", published=theirs,
        notes=[note], layout=layout,
    )  # fmt: skip
    assert legend_of(figure)[-1].replace("\n", " ") == LONG
    assert " ".join(figure.texts[-1].get_text().split()) == note
    assert figure.get_size_inches()[0] == layout.width_inches
    assert_nothing_is_cut(figure)
    bare = rate_distortion(
        curves(*DEMO), line_styles(DEMO), metric="MS-SSIM", title="long", published=theirs,
        notes=[note], layout=replace(layout, title=False, notes=False),
    )  # fmt: skip
    assert (bare.get_suptitle(), len(bare.texts)) == ("", 0)
    assert bare.get_size_inches()[1] < figure.get_size_inches()[1]


def test_a_codec_of_one_point_has_its_interval_drawn() -> None:
    points = [*curves("jpeg"), RatePoint("hfd", 1, 0.07, 31.0, low=28.5, high=33.5)]
    figure = rate_distortion(points, line_styles(["jpeg", "hfd"]), metric="PSNR")
    (bar,) = figure.axes[0].collections
    ((start, end),) = bar.get_segments()  # type: ignore[attr-defined]
    assert [list(start), list(end)] == [[0.07, 28.5], [0.07, 33.5]]
    assert to_hex(bar.get_edgecolor()[0]) == line_styles(["jpeg", "hfd"])["hfd"].colour
    low, high = figure.axes[0].get_ylim()
    assert low < 28.5
    assert high > 33.5


def test_the_ends_of_the_axes_can_be_chosen_and_what_they_leave_out_is_counted() -> None:
    points = curves("jpeg", "webp")
    figure = rate_distortion(
        points, line_styles(["jpeg", "webp"]), metric="d", better="lower", rates=(0.15, 0.5),
        scores=(20, 32.5),
    )  # fmt: skip
    assert figure.axes[0].get_xlim() == (0.15, 0.5)
    assert figure.axes[0].get_ylim() == (32.5, 20)  # turned still
    assert figure.texts[-1].get_text() == "3 of 4 points lie outside the axes."
    whole = rate_distortion(points, line_styles(["jpeg", "webp"]), metric="d")
    assert not whole.texts


def test_costs_have_a_legend_of_all_codecs_and_a_line_through_the_front() -> None:
    points = [
        TradePoint("zip", 20.0, -35.0, True), TradePoint("avif", 70.0, 12.0, False),
        TradePoint("hyper", 900.0, -60.0, True),
    ]  # fmt: skip
    figure = trade(
        points, line_styles(["zip", "avif", "hyper"]), cost="decode", gain="BD-rate", less_is_better=True,
        notes=["Without a BD-rate or this cost: latent."], layout=COLUMNS[1],
    )  # fmt: skip
    (axes,) = figure.axes
    assert (list(axes.lines[0].get_xdata()), list(axes.lines[0].get_ydata())) == ([20, 900], [-35, -60])
    assert legend_of(figure) == ["hyper", "zip", "avif"]
    assert axes.yaxis_inverted()
    assert axes.get_xscale() == "log"
    assert figure.texts[-1].get_text().endswith("cost: latent.")
    assert_nothing_is_cut(figure)


def test_values_by_group_with_a_ceiling() -> None:
    points = [SpanPoint("a $x$", "natural", 60.0, 50.0, 70.0), SpanPoint("b", "AI", 80.0, None, None)]
    figure = spans(
        points, axis="votes (%)", groups=("natural", "AI", "neither"), zero=False, ceiling=91.0,
        title="tea", layout=COLUMNS[2],
    )  # fmt: skip
    (axes,) = figure.axes
    drawn = [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines]
    assert drawn[0] == ([50, 70], [-0.175, -0.175])
    assert ([91, 91], [0, 1]) in drawn
    assert legend_of(figure) == ["natural", "AI"]  # no group without a value
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a $x$", "b"]
    assert_nothing_is_cut(figure)


ABOUT = About("PSNR over rate", "Image set zoo 🦆; psnr of codecarena 0.1", ("zoo", "PSNR"))


def test_files_say_what_they_show_and_who_drew_them() -> None:
    figure = rate_distortion(curves("jpeg"), line_styles(["jpeg"]), metric="PSNR")
    pdf = export(figure, "pdf", ABOUT)
    assert b"/Title (PSNR over rate)" in pdf
    assert b"codecarena 0" in re.search(rb"/Creator \(([^)]*)", pdf)[0]  # type: ignore[index]
    assert b"zoo, PSNR, codecarena" in pdf
    assert b"CreationDate" not in pdf
    svg = export(figure, "svg", ABOUT).decode()
    assert "<dc:title>PSNR over rate</dc:title>" in svg
    assert "<dc:description>Image set zoo 🦆; psnr of codecarena 0.1</dc:description>" in svg
    assert "<rdf:li>zoo</rdf:li>" in svg
    assert "dc:date" not in svg
    with Image.open(io.BytesIO(export(figure, "png", ABOUT))) as png:
        assert png.info["Title"] == "PSNR over rate"
        assert png.info["Software"].startswith("codecarena ")
        assert png.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    again = rate_distortion(curves("jpeg"), line_styles(["jpeg"]), metric="PSNR")
    export(again, "pdf", ABOUT)
    assert export(again, "svg", ABOUT).decode() == svg  # nothing of the time or of chance


def test_words_of_an_svg_are_text_in_a_named_font_or_outlines() -> None:
    layout = replace(PAGE, font="DejaVu Serif")
    figure = rate_distortion(curves("jpeg"), line_styles(["jpeg"]), metric="PSNR", layout=layout)
    text = export(figure, "svg").decode()
    assert ">jpeg</text>" in text
    assert "DejaVu Serif" in text
    outlines = export(figure, "svg", svg_text="paths").decode()
    assert "<text" not in outlines
    assert outlines.count("<path") > text.count("<path")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rd", "out.gif"), "ends with .pdf, .svg or .png"),
        (("rd", "no/out.pdf"), "there is no folder"),
        (("rd", "out.pdf", "--codec", "wepb"), "no codec with a curve 'wepb' here; there are jpeg, webp"),
        (("rd", "out.pdf", "--picture", "otter"), "no picture 'otter' here; there are"),
        (("rd", "out.pdf", "--published", "VTM"), "no published curve 'VTM (published)' here; there"),
        (("rd", "out.pdf", "--rates", "0.1-2"), "expected two different numbers, such as 0.05..2"),
        (("rd", "out.pdf", "--font", "No Such Font"), "no such font is installed; there are"),
        (("rd", "out.pdf", "--set", "kodak"), "stored: photos"),
        (("rd", "out.pdf", "-m", "vmaf"), "no scores of 'vmaf'"),
        (("cost", "out.pdf", "--by", "decode"), "codecarena time SUITE"),
        (("kinds", "out.pdf"), "expected natural and AI-generated pictures"),
        (("people", "out.pdf"), "codecarena study report NAME"),
        (("scale", "out.pdf", "--study", "tea"), "codecarena study report NAME"),
    ],
)  # fmt: skip
def test_a_mistake_says_what_to_do(
    seeded_store: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    ended = call("figure", *words, "--store", seeded_store, folder=tmp_path)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "defect" not in ended.stderr
    assert not list(tmp_path.iterdir())


def test_curves_are_drawn_by_the_command_line(seeded_store: Path, tmp_path: Path) -> None:
    words = ("--store", seeded_store, "--codec", "webp", "-m", "psnr")
    ended = call(
        "figure", "rd", "a.pdf", *words, "--column", "1", "--no-title", "--no-notes", folder=tmp_path
    )
    assert re.match(r"figure written to a\.pdf \(3\.50 x \d\.\d\d inches\)\n", ended.stdout), ended.stderr
    written = (tmp_path / "a.pdf").read_bytes()
    assert b"/Title (PSNR over rate)" in written
    assert b"Image set photos; psnr of codecarena" in written
    (width,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ", written)
    assert float(width) == 3.5 * 72
    picture = next(cell.picture for cell in Store(str(seeded_store)).cells())
    ended = call("figure", "rd", "b.svg", *words, "--linear", "--picture", picture, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert f">photos: {picture}</text>" in (tmp_path / "b.svg").read_text()


def loaded_with(module: str) -> set[str]:
    """Return what importing one of our modules imports: read from the source, as loading takes seconds."""
    loaded, waiting = set[str](), [module]
    while waiting:
        name = waiting.pop()
        if name in loaded:
            continue
        loaded.add(name)
        path = ROOT.joinpath(*name.split(".")[1:]).with_suffix(".py")
        if name.startswith("codecarena.") and path.is_file():
            tree = ast.parse(path.read_text())
            tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
            waiting += [
                part
                for imported in imports_of(tree, path)
                for part in (imported, imported.rpartition(".")[0])
                if part
            ]
    return loaded


@pytest.mark.parametrize(
    "module",
    [
        "charts.interactive", "charts.study_tables", "charts.trades",
        *(f"views.{path.stem}" for path in sorted((ROOT / "reports" / "views").glob("*.py"))),
    ],
)  # fmt: skip
def test_the_pages_load_what_draws_for_print_only_where_a_figure_is_drawn(module: str) -> None:
    loaded = {name.split(".")[0] for name in loaded_with(f"codecarena.reports.{module}")}
    assert "numpy" in loaded or module.startswith("views")
    assert not {"matplotlib", "seaborn"} & loaded
    drawing = loaded_with("codecarena.reports.files.printed_figures")
    assert "matplotlib.figure" in drawing
