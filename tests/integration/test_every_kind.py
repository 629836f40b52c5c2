"""A port of every kind at once on real engines: by an adapter, and by a tool that knows nothing of Assay."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from host.warm.container import WarmContainer
from tests.support.cli import Cli
from tests.support.engine_bench import ENGINES
from tests.support.engine_image import runtime_image
from tests.support.every_kind_bench import COMMAND, FOLDER, EveryKind, as_command, tool_folder
from tests.support.every_kind_checks import MEASURED, assert_every_kind_was_answered

pytestmark = pytest.mark.docker


@pytest.fixture(params=sorted(ENGINES))
def every(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EveryKind]:
    engine = ENGINES[request.param]()
    yield EveryKind(tmp_path, engine, runtime_image(engine, FOLDER))
    engine.close()


def test_an_adapter_takes_and_answers_every_kind(every: EveryKind) -> None:
    ended = every.run()
    assert ended.exit is not None and ended.exit.exit_code == 0, every.log.read_text()
    assert_every_kind_was_answered(every.manifest, ended)


def test_lists_and_a_series_go_into_a_warm_container_case_by_case(every: EveryKind) -> None:
    """Folders and numbered files are laid in and taken out again; nothing of one case is left to the next."""
    runtime = every.manifest.runtime.model_copy(update={"mode": "serve"})
    manifest = every.manifest.model_copy(update={"runtime": runtime})
    one_visit = every.inputs["later"][:1]
    with closing(WarmContainer(every.engine, every.runs)) as warm:
        served = [every.run(manifest, warm=warm, later=later) for later in (every.inputs["later"], one_visit)]
    fresh = [every.run(later=later) for later in (every.inputs["later"], one_visit)]
    assert_every_kind_was_answered(every.manifest, served[0])
    assert len({one.exit.container_id for one in served if one.exit}) == 1
    for one, other in zip(served, fresh, strict=True):
        assert [(o.port, o.digest) for o in one.outputs] == [(o.port, o.digest) for o in other.outputs]


def test_a_tool_takes_and_answers_every_kind(every: EveryKind) -> None:
    manifest = as_command(every.manifest)
    ended = every.run(manifest)
    assert ended.exit is not None and ended.exit.exit_code == 0, every.log.read_text()
    assert_every_kind_was_answered(manifest, ended)


@pytest.mark.parametrize(
    ("argv", "outcome", "reason", "said"),
    [
        (["python3", "/opt/assay/tool.py", "/assay/out", "--fail"], "refused", "told-to-refuse", "told to"),
        (["python3", "-c", "raise SystemExit(7)"], "failed", "plugin-error", "exit code 7"),
        (["python3", "-c", "import os; os.abort()"], "failed", "plugin-error", "ended by signal 6"),
        (["python3", "-c", "pass"], "failed", "output-missing", "port visits: there is no file"),
        (
            ["python3", "-c", "import sys; sys.exit(sys.argv[1] != '; exit 9 #$(id)')", "; exit 9 #$(id)"],
            "failed",
            "output-missing",
            "port visits",
        ),
    ],
    ids=["a listed code", "another code", "a signal", "no file", "a word that a shell would act on"],
)
def test_exit_codes_of_a_tool_say_how_the_case_ended(
    every: EveryKind, argv: list[str], outcome: str, reason: str, said: str
) -> None:
    ended = every.run(as_command(every.manifest, argv=argv))
    assert (ended.outcome, ended.reason_code) == (outcome, reason), every.log.read_text()
    assert said in ended.message


def test_an_author_builds_tests_and_runs_the_tool_by_the_command_line(every: EveryKind) -> None:
    folder = tool_folder(every.folder / "plugin", every.inputs)
    author, engine = Cli(every.folder / "home"), ("--engine", every.engine.name)
    author.do("plugin", "check", folder)
    author.do("plugin", "build", folder, *engine)
    tested = author.read("plugin", "test", folder, *engine)
    assert tested["failed"] == 0, tested
    given = [
        word
        for port, files in every.inputs.items()
        for path in (files if isinstance(files, tuple) else (files,))
        for word in ("--input", f"{port}={path}")
    ]
    out = every.folder / "out"
    ended = author.read("plugin", "run", folder, *given, "--out", out, *engine)
    assert ended["outcome"] == "ok"
    seen = {(one["port"], one["row"], one["column"]): one["value"] for one in ended["measured"]}
    assert MEASURED.items() <= seen.items()
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [*(name for port, name in COMMAND["outputs"].items() if port != "denoised"), "log.txt", "result.json"]
    )
