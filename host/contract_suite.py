"""The contract suite under pytest: every rule, the image, each embedded test and the claim on repeats are one item.

It calls what ``assay plugin check``, ``build`` and ``test`` call, and only reports otherwise. Nothing is recorded.
"""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from host.check.plugin import MANIFEST, Checked, inspect_plugin
from host.check.rules import rule_texts
from host.check.shown import fault_lines
from plugin_spec.errors import AssayError
from plugin_spec.faults import RuleText
from plugin_spec.toml_lines import line_at, lines_of

if TYPE_CHECKING:
    from host.embedded.determinism import Difference
    from host.embedded.runs import TestReport

AUTO: Final = "auto"
WIDTH: Final = 100
_CONTRACT: Final = b"assay.plugin/"


class ReviewWarning(UserWarning):
    """A rule of the family C7xx does not hold: QA will ask about it. ``-W error`` makes failures of them."""


class ContractFault(Exception):
    """A part of the contract does not hold; its text is what people read."""


@dataclass(frozen=True)
class Settings:
    """How the suite is to run."""

    engine: str
    repeats: int
    rules_only: bool


@dataclass(frozen=True)
class ContractSuite:
    """Collects plugins: those named, and with ``auto`` every ``plugin.toml`` that pytest comes across."""

    manifests: frozenset[Path]
    finds_others: bool
    settings: Settings

    @classmethod
    def of(cls, config: pytest.Config) -> "ContractSuite":
        """Read the options, and have pytest collect what they name.

        Folders on the command line are collected instead of what pytest would look through by itself, those of the
        ini file besides it.
        """
        named = [config.invocation_params.dir / one for one in config.getoption("--assay-plugin")]
        listed = [config.rootpath / one for one in config.getini("assay_plugins") if one != AUTO]
        manifests = [_manifest(folder) for folder in (*named, *listed)]
        if named and config.args_source is not pytest.Config.ArgsSource.ARGS:
            config.args[:] = []
        config.args += [str(path) for path in manifests if str(path) not in config.args]
        return cls(
            frozenset(path.resolve() for path in manifests),
            AUTO in config.getini("assay_plugins"),
            Settings(
                config.getoption("--assay-engine"),
                config.getoption("--assay-repeats"),
                config.getoption("--assay-rules-only"),
            ),
        )

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> "PluginFile | None":
        """Take a ``plugin.toml`` that is named, or found and one of ours."""
        if file_path.name != MANIFEST:
            return None
        if file_path.resolve() not in self.manifests and not (self.finds_others and _is_ours(file_path)):
            return None
        found: PluginFile = PluginFile.from_parent(parent, path=file_path, settings=self.settings)
        return found


class PluginFile(pytest.File):
    """A ``plugin.toml``."""

    def __init__(self, *, settings: Settings, **named: Any) -> None:
        super().__init__(**named)
        self.settings = settings

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the rules; then, where the document fits the schema, the image, the tests and the claim."""
        checked = inspect_plugin(self.path.parent)
        bench = Bench(self.path.parent, self.settings, checked)
        for text in rule_texts():
            yield RuleItem.from_parent(self, bench=bench, rule=text)
        if checked.manifest is None or self.settings.rules_only:
            return
        yield ImageItem.from_parent(self, name="image", bench=bench)
        for number, test in enumerate(checked.manifest.tests):
            yield EmbeddedTestItem.from_parent(self, bench=bench, test=test.name, number=number)
        if self.settings.repeats > 1:
            yield RepeatsItem.from_parent(self, name="repeats", bench=bench)
        if checked.manifest.runtime.mode == "serve":
            yield WarmItem.from_parent(self, name="warm", bench=bench)


@dataclass
class Bench:
    """A plugin's folder, and what was found of it so far: the image is built once, the tests run once."""

    folder: Path
    settings: Settings
    checked: Checked
    _done: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def lines(self) -> dict[tuple[str | int, ...], int]:
        """The lines of the manifest's fields."""
        return lines_of(self.checked.path.read_text(encoding="utf-8"))

    def image(self) -> str:
        """Return the identity of the image, built when the folder was changed since."""
        return str(self._once("image", self._image))

    def report(self, items: Iterable[pytest.Item]) -> "TestReport":
        """Run the embedded tests that ``items`` ask for, the first time; return the report."""
        found: TestReport = self._once("report", lambda: self._report(list(items)))
        return found

    def _once(self, what: str, make: Any) -> Any:
        if what not in self._done:
            try:
                self._done[what] = make()
            except AssayError as error:
                self._done[what] = error
        if isinstance(self._done[what], AssayError):
            raise self._done[what]
        return self._done[what]

    @cached_property
    def _engine(self) -> Any:
        from host.engine_choice import choose

        return choose(self.settings.engine).engine

    def _image(self) -> str:
        from host.builds import build, read_build
        from host.check.plugin import check_plugin
        from host.errors import BuildMissingError
        from host.home import Home

        home, manifest = Home.from_environment(), check_plugin(self.folder)
        try:
            image = read_build(home, manifest, self.folder).image
        except BuildMissingError:
            image = ""
        # Whether a Dockerfile's context changed, only its daemon knows.
        if not image or not self._engine.holds(image) or manifest.image.source == "dockerfile":
            image = build(home, self.folder, self._engine, say=print).image
        return image

    def _report(self, items: list[pytest.Item]) -> "TestReport":
        from host.embedded.runs import TestOrder, run_tests
        from host.home import Home

        self.image()
        ours = [one for one in items if isinstance(one, ContractItem) and one.bench is self]
        measured = any(isinstance(one, (RepeatsItem, WarmItem)) for one in ours)
        only = frozenset(one.test for one in ours if isinstance(one, EmbeddedTestItem))
        order = TestOrder(
            self.folder,
            repeats=max(1, self.settings.repeats) if measured else 1,
            only=None if measured else only,
        )
        return run_tests(Home.from_environment(), self._engine, order, say=print)


class ContractItem(pytest.Item):
    """One part of the contract."""

    field_path: tuple[str | int, ...] = ()

    def __init__(self, *, bench: Bench, **named: Any) -> None:
        super().__init__(**named)
        self.bench = bench

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where in ``plugin.toml`` the part is declared."""
        line = line_at(self.bench.lines, self.field_path) if self.field_path else None
        return self.path, line - 1 if line else None, f"{self.path.parent.name}: {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what people read, without a traceback of the host."""
        error = excinfo.value
        if isinstance(error, (ContractFault, ReviewWarning)):
            return str(error)
        if isinstance(error, AssayError):
            return "\n".join(
                [f"{error.code}: {error.message}", *([f"next: {error.hint}"] if error.hint else [])]
            )
        return super().repr_failure(excinfo, style)


class RuleItem(ContractItem):
    """A rule of `assay plugin check`."""

    def __init__(self, *, rule: RuleText, **named: Any) -> None:
        super().__init__(name=rule.number, **named)
        self.rule = rule

    def runtest(self) -> None:
        """Look whether a fault by this rule was found."""
        checked = self.bench.checked
        faults = [one for one in checked.faults if one.rule == self.rule.number]
        if checked.manifest is None and not faults and not self.rule.number.startswith("C0"):
            pytest.skip("plugin.toml does not fit the schema yet")
        shown = [line for one in faults for line in fault_lines(one, checked.path, width=WIDTH)]
        if faults and self.rule.severity == "error":
            raise ContractFault("\n".join(shown))
        for one in faults:
            told = ReviewWarning(f"{one.rule} in {one.path}: {one.message}; fix: {one.fix}")
            warnings.warn_explicit(told, None, str(checked.path), one.line or 1)


class ImageItem(ContractItem):
    """The image can be built, and the engine holds it."""

    field_path = ("image",)

    def runtest(self) -> None:
        """Build it, unless nothing changed since."""
        self.bench.image()


class EmbeddedTestItem(ContractItem):
    """An embedded test answers, or refuses, as the manifest says, in every run."""

    def __init__(self, *, test: str, number: int, **named: Any) -> None:
        super().__init__(name=f"test[{test}]", **named)
        self.test = test
        self.field_path = ("tests", number)

    def runtest(self) -> None:
        """Look how its runs ended."""
        report = self.bench.report(self.session.items)
        outcome = next(one for one in report.tests if one.name == self.test)
        if outcome.fault:
            hint = outcome.explanation.hint
            raise ContractFault(
                "\n".join(
                    [
                        f"{self.test}: {outcome.fault}",
                        *outcome.explanation.lines,
                        *([f"next: {hint}"] if hint else []),
                    ]
                )
            )


class RepeatsItem(ContractItem):
    """Repeats in fresh containers, in shuffled order, agree as the claim says."""

    field_path: tuple[str | int, ...] = ("determinism",)
    container = "(fresh)"

    def runtest(self) -> None:
        """Look at the differences between runs in this kind of container and the first run."""
        finding = self.bench.report(self.session.items).determinism
        if finding is None:
            pytest.skip("an embedded test does not hold, so repeats were not compared")
        if finding.verdict == "not measured":
            raise ContractFault(f"the claim {finding.claim} was not measured: no test answered twice")
        broken: list[Difference] = [
            one
            for one in finding.differences
            if not one.allowed and one.runs[1].endswith(self.container) and finding.claim != "stochastic"
        ]
        if broken:
            lines = [one.line for one in broken]
            raise ContractFault(
                "\n".join([f"the claim {finding.claim} does not hold", *lines, f"next: {finding.hint}"])
            )


class WarmItem(RepeatsItem):
    """A warm container answers as fresh ones do."""

    field_path = ("runtime", "mode")
    container = "(warm)"


def _manifest(folder: Path) -> Path:
    path = folder / MANIFEST
    if not path.is_file():
        raise pytest.UsageError(f"--assay-plugin {folder}: there is no {MANIFEST}")
    return path


def _is_ours(path: Path) -> bool:
    with path.open("rb") as stream:
        return _CONTRACT in stream.read(64 * 1024)
