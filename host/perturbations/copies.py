"""The files of perturbed copies: made once, kept by what they are made from, and hashed again at each use.

Invariants
----------
* A copy is named by the digests of its originals and by all of its recipe; another recipe is another folder.
* A folder appears whole or not at all, so an interrupted command loses the copy under way at most.
* What the runs' records say of a copy's digest is what was given to the plugin, wherever it was made.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from host.cases.sidecar import sidecar_path
from host.emptying import remove_folder
from host.errors import RunCancelledError
from host.home import Home
from host.kits.places import PlacedCase, place
from host.perturbations.cases import PerturbedCase
from host.perturbations.images import perturb_image, perturb_labels
from host.side_by_side import side_by_side
from host.sources.data_folder import file_digest
from plugin_spec.files import sync_folder, write_atomic
from plugin_spec.manifest import Manifest
from plugin_spec.model import Sha256, StrictModel, read_json
from plugin_spec.ports import LabelMapPort, VolumePort
from registry.canonical import canonical_json, digest

# Raise it when a perturbation makes other voxels of the same declaration.
RECIPE: Final = 1
LISTING: Final = "made.json"


class MadeFile(StrictModel):
    """One file of a copy: what it is made from, and as what."""

    port: str
    kind: Literal["volume", "label map"]
    ndim: Literal[3, 4]
    source: Sha256


class Recipe(StrictModel):
    """Everything that decides the voxels of a copy."""

    contract: Literal["assay.perturbed/1"] = "assay.perturbed/1"
    recipe: int = RECIPE
    case: str
    perturbation: dict[str, object]
    files: dict[str, MadeFile]


class Made(StrictModel):
    """What was made, file by file."""

    recipe: Sha256
    files: dict[str, Sha256]


@dataclass(frozen=True)
class CopyMaker:
    """Makes and keeps the perturbed copies of one kit. Hold ``Home.running`` while using it.

    Attributes
    ----------
    data : Path
        The kit's data folder, whose files were checked.
    say : callable
        Told each copy that is made, in one line.
    cancelled : callable
        Whether the operator wants to stop.
    """

    home: Home
    manifest: Manifest
    data: Path
    say: Callable[[str], None]
    cancelled: Callable[[], bool] = lambda: False

    def make(self, cases: Sequence[PerturbedCase]) -> dict[str, PlacedCase]:
        """The copies of these cases, by case id, made on all CPUs.

        Raises
        ------
        KitError
            An image cannot be changed as declared, or a reference would leave it.
        RunCancelledError
            The operator stopped.
        """
        return {placed.case.case_id: placed for placed in side_by_side(self._copy, cases)}

    def kept(self, case: PerturbedCase) -> PlacedCase | None:
        """A copy that was made here before and is whole; nothing is made, and nothing needs to be held."""
        recipe, key, target = self._named(case)
        if not target.is_dir() or not _is_whole(target, key):
            return None
        return _placed(case, recipe, place(case, self.data), target)

    def _named(self, case: PerturbedCase) -> tuple[Recipe, str, Path]:
        """What a copy is made by, the digest of that, and the copy's folder."""
        recipe = self._recipe(case)
        key = digest(canonical_json(recipe.model_dump(mode="json")))
        return recipe, key, self.home.perturbed / key.removeprefix("sha256:")

    def _copy(self, case: PerturbedCase) -> PlacedCase:
        if self.cancelled():
            raise RunCancelledError("the operator stopped the run")
        recipe, key, target = self._named(case)
        if target.is_dir() and not _is_whole(target, key):
            self.say(f"{case.case_id}: its files were changed since they were made; they are made again")
            remove_folder(target)
        if not target.is_dir():
            self.say(f"make {case.case_id}: {case.perturbation.summary}")
            self._make(case, recipe, key, target)
        return _placed(case, recipe, place(case, self.data), target)

    def _recipe(self, case: PerturbedCase) -> Recipe:
        return Recipe(
            case=case.original.case_id,
            perturbation=case.perturbation.model_dump(mode="json", exclude={"cases"}),
            files={name: made for name, made, _ in self._files(case)},
        )

    def _files(self, case: PerturbedCase) -> Iterator[tuple[str, MadeFile, Path]]:
        """Name, description and original of every file to be made."""
        for name in case.perturbation.inputs:
            port = self.manifest.input(name)
            ndim = port.ndim if isinstance(port, VolumePort) else 3
            kind: Literal["volume", "label map"] = "label map" if isinstance(port, LabelMapPort) else "volume"
            for number, file in enumerate(case.inputs[name], start=1):
                made = MadeFile(port=name, kind=kind, ndim=ndim, source=file.sha256)
                yield f"in-{name}-{number}{_ending(file.path)}", made, self.data / file.path
        for name, file in case.references.items():
            if case.perturbation.moves and isinstance(self.manifest.output(name), LabelMapPort):
                made = MadeFile(port=name, kind="label map", ndim=3, source=file.sha256)
                yield f"ref-{name}{_ending(file.path)}", made, self.data / file.path

    def _make(self, case: PerturbedCase, recipe: Recipe, key: str, target: Path) -> None:
        work = self.home.runs / f"perturbed-{key[7:39]}"
        work.mkdir(mode=0o700)
        try:
            made = {}
            for name, file, source in self._files(case):
                made[name] = self._make_file(case, file, source, work / name)
                sidecar = sidecar_path(source)
                if sidecar.is_file():
                    shutil.copyfile(sidecar, sidecar_path(work / name))
            write_atomic(work / LISTING, canonical_json(Made(recipe=key, files=made).model_dump(mode="json")))
            os.replace(work, target)
            sync_folder(target.parent)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _make_file(self, case: PerturbedCase, file: MadeFile, source: Path, target: Path) -> str:
        original, port = case.original.case_id, file.port
        if file.kind == "label map":
            return perturb_labels(source, target, case.perturbation, case_id=original, port=port)
        return perturb_image(source, target, case.perturbation, case_id=original, port=port, ndim=file.ndim)


def _placed(case: PerturbedCase, recipe: Recipe, original: PlacedCase, folder: Path) -> PlacedCase:
    inputs, references = dict(original.inputs), dict(original.references)
    for name, made in recipe.files.items():
        if name.startswith("ref-"):
            references[made.port] = folder / name
        else:
            same = [
                one
                for one, other in recipe.files.items()
                if other.port == made.port and one.startswith("in-")
            ]
            inputs[made.port] = tuple(folder / one for one in same)
    return PlacedCase(case, inputs, references)


def _is_whole(folder: Path, key: str) -> bool:
    listing = folder / LISTING
    if not listing.is_file():
        return False
    made = read_json(listing, Made)
    return made.recipe == key and all(
        (folder / name).is_file() and not (folder / name).is_symlink() and file_digest(folder / name) == found
        for name, found in made.files.items()
    )


def _ending(path: str) -> str:
    return ".nii.gz" if path.endswith(".gz") else ".nii"
