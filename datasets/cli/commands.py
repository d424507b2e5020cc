"""The commands about image sets beside `fetch`; what costs time to import is imported inside."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ...counts import counted
from ...visible_text import say
from .options import DataOption, JsonOption, SetArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from ..generated.generated_entry import Sampler
    from ..manifest import ImageSet


def commands(make_sampler: Callable[[], Sampler | None]) -> typer.Typer:
    """Return the commands.

    Args:
        make_sampler: Called where a set is opened; returns what samples those pictures that are made here.
    """
    app, opening = typer.Typer(), PictureCommands(make_sampler)
    for command in (describe, opening.pick, opening.check, generate):
        app.command()(command)
    return app


class PictureCommands:
    """The commands that open a set, and so may have to sample its pictures on this machine."""

    def __init__(self, make_sampler: Callable[[], Sampler | None]) -> None:
        self._make_sampler = make_sampler

    def pick(
        self,
        image_set: SetArgument,
        count: Annotated[int, typer.Option("-k", "--count", min=1, help="How many pictures.")] = 8,
        seed: Annotated[int, typer.Option(min=0, help="Of the first picture.")] = 1,
        out: Annotated[
            Path | None, typer.Option("--out", help="Manifest of the picked pictures to write.")
        ] = None,
        data: DataOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Pick a few pictures that cover a set: busy and plain, grey and vivid, with faces and without."""
        from ..description.descriptors import describe_pixels
        from ..pixels import read_pixels
        from ..sets.subset import pick as choose
        from ..sets.subsets import write_subset

        opened = self._open(image_set, data)
        with _counting("pictures") as show:
            described = []
            for place, picture in enumerate(opened.pictures, 1):
                described.append(describe_pixels(read_pixels(picture.path, picture.sha256)))
                show(place, len(opened.pictures))
        chosen = choose(described, count, seed)
        if out is not None:
            write_subset(opened, image_set, [opened.pictures[place].name for place in chosen], out)
        rows = [{"picture": opened.pictures[place].name, **described[place]} for place in chosen]
        if as_json:
            typer.echo(json.dumps(rows, indent=2))
            return
        _table(f"{count} of {counted(len(opened.pictures), 'picture')} of {opened.name}", rows)
        if out is not None:
            say(f'written to {out}; in a suite: sets = "{out}"')

    def check(
        self,
        first: SetArgument,
        second: Annotated[
            str | None,
            typer.Argument(help="Another set.", show_default="the training data of the weights here"),
        ] = None,
        data: DataOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Look for pictures that two sets share, or a set and the training data. Exit status 1 if any."""
        from ..description.overlap import prints, shared, training_prints

        opened = self._open(first, data)
        with _counting("pictures"):
            here = prints(opened.pictures)
            if second is None:
                name, there = "the training data of the shipped weights", training_prints()
            else:
                other = self._open(second, data)
                name, there = other.name, prints(other.pictures)
        pairs = shared(here, there)
        if as_json:
            typer.echo(json.dumps([asdict(pair) for pair in pairs], indent=2))
        else:
            for pair in pairs:
                say(f"{pair.picture} and {pair.other}: {pair.how}, {pair.bits} of 64 bits differ")
            many = len({pair.picture for pair in pairs})
            say(
                f"{many} of {counted(len(here), 'picture')} of {opened.name} are in {name} "
                f"({counted(len(there), 'picture')})"
            )
        raise typer.Exit(1 if pairs else 0)

    def _open(self, reference: str, data: Path | None) -> ImageSet:
        from ..sets.catalogue import open_set

        opened = open_set(reference, data, self._make_sampler())
        if opened.notes:
            from ...terminal import print_notes

            print_notes(opened.notes)
        return opened


def describe(
    folder: Annotated[Path, typer.Argument(help="A folder of pictures.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Manifest to write.", show_default="FOLDER/manifest.toml")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the set.", show_default="the folder's")] = None,
    kind: Annotated[
        Literal["natural", "ai-generated", "composite", "drawn", "unknown"] | None,
        typer.Option(help="Of pictures that say nothing of a generator.", show_default="natural"),
    ] = None,
    licence: Annotated[str, typer.Option(help="Of pictures that say none.")] = "unknown",
    citation: Annotated[str, typer.Option(help="Who to cite.")] = "unknown",
    site: Annotated[str | None, typer.Option(help="Address where a reader finds the set.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a manifest that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a manifest of a folder: hashes, prompts found in the files, and what to know before measuring."""
    from ..description.describe import describe as look
    from ..folder import check_name
    from ..manifest import DatasetError
    from ..manifest_toml import write_manifest
    from ..sets.catalogue import FOLDER_MANIFEST

    path = out or folder / FOLDER_MANIFEST
    if path.exists() and not force:
        raise DatasetError(f"{path} is there already; --force replaces it, --out names another")
    if out is not None:
        check_name(folder)  # the manifest will say where the pictures lie
    with _counting("pictures") as show:
        description = look(
            folder, name=name, kind=kind, licence=licence, citation=citation, site=site, progress=show
        )
    elsewhere = None if path.absolute().parent == folder.absolute() else str(folder.absolute())
    write_manifest(description.manifest.model_copy(update={"folder": elsewhere}), path)
    prompts = sum(picture.prompt is not None for picture in description.manifest.pictures)
    if as_json:
        record = {
            "manifest": str(path),
            "pictures": len(description.manifest.pictures),
            "prompts": prompts,
            "marks": description.marks,
            "findings": [asdict(finding) for finding in description.findings],
        }
        typer.echo(json.dumps(record, indent=2))
        return
    unknown = [finding for finding in description.findings if finding.concern == "unknown origin"]
    for finding in description.findings:
        if finding.concern != "unknown origin":
            say(f"{finding.concern}: {finding.picture} {finding.detail}")
    if description.marks:
        say(f"marked in the files: {description.marks}")
    if unknown:
        say(
            f"{counted(len(unknown), 'picture')} without a word of a generator, taken as natural; "
            "--kind says more"
        )
    say(
        f"{counted(len(description.manifest.pictures), 'picture')}, {prompts} with a prompt, described "
        f"in {path}"
    )


def generate(
    prompts: Annotated[Path, typer.Argument(help="A text file with one prompt a line.")],
    model: Annotated[str, typer.Option("--model", help="A text-to-image model: a hub id or a folder.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the set.")],
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Pictures of each prompt.")] = 1,
    first_seed: Annotated[int, typer.Option(min=0, help="The others follow it.")] = 0,
    steps: Annotated[int | None, typer.Option(min=1, show_default="the model's")] = None,
    guidance: Annotated[float | None, typer.Option(min=0, show_default="the model's")] = None,
    width: Annotated[int | None, typer.Option(min=8, show_default="the model's")] = None,
    height: Annotated[int | None, typer.Option(min=8, show_default="the model's")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Pictures made at once.")] = 1,
    revision: Annotated[str | None, typer.Option(help="Of the model.", show_default="the newest")] = None,
    device: Annotated[str, typer.Option(help="As torch calls it: cpu, cuda.")] = "cpu",
    dtype: Annotated[Literal["float32", "float16", "bfloat16"], typer.Option()] = "float32",
    licence: Annotated[str, typer.Option(help="Of the pictures.")] = "unknown",
) -> None:
    """Make an AI-generated set with a diffusers pipeline; called again, it makes what is missing."""
    from ..generated.generate import Order, make_set, read_prompts

    order = Order(
        model=model,
        prompts=read_prompts(prompts),
        seeds=tuple(range(first_seed, first_seed + seeds)),
        steps=steps,
        guidance=guidance,
        width=width,
        height=height,
        batch=batch,
        revision=revision,
        device=device,
        dtype=dtype,
        licence=licence,
    )
    with _counting("pictures") as show:
        made, path = make_set(order, out, show)
    say(f"{counted(made, 'picture')} made; the set is {path}")


def _counting(what: str) -> AbstractContextManager[Callable[[int, int], None]]:
    """Return a bar on stderr that counts."""
    from contextlib import contextmanager

    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    from ...progress_lines import progress_lines
    from ...terminal import Terminal

    @contextmanager
    def bar() -> Generator[Callable[[int, int], None]]:
        columns = (SpinnerColumn("line"), TextColumn(what, markup=False), MofNCompleteColumn())
        console = Terminal(stderr=True)
        hidden = not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=hidden) as shown:
            task = shown.add_task(what, total=None)
            with progress_lines(console, lambda: f"{what}: {shown.tasks[0].completed:.0f} done"):
                yield lambda done, total: shown.update(task, completed=done, total=total)

    return bar()


def _table(title: str, rows: list[dict[str, str | float]]) -> None:
    from ...terminal import Terminal, TextColumn, show_table

    columns = [TextColumn(name.replace("_", " ")) for name in rows[0]]
    texts = [[cell if isinstance(cell, str) else f"{cell:.3g}" for cell in row.values()] for row in rows]
    show_table(Terminal(), title, columns, texts)
