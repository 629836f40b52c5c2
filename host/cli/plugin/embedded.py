"""``assay plugin test``: the embedded tests of a build."""

from typing import TYPE_CHECKING

from host.cli.answer import JsonFlag, conclude, say, show, table
from host.cli.engines import EngineOption, connected
from host.cli.plugin.options import FolderArgument

if TYPE_CHECKING:
    from host.embedded_tests import TestOutcome


def test(folder: FolderArgument, engine: EngineOption = "auto", json: JsonFlag = False) -> int:
    """Run the manifest's embedded tests in the built image; nothing is recorded."""
    from host import embedded_tests
    from host.errors import EmbeddedTestError
    from host.home import Home

    outcomes = embedded_tests.run_all(Home.from_environment(), folder, connected(engine), say=say)
    failed = [one for one in outcomes if one.fault]
    show({"tests": [vars(one) for one in outcomes], "failed": len(failed)}, _lines(outcomes), as_json=json)
    if failed:
        message = f"{len(failed)} of {len(outcomes)} embedded tests do not hold"
        return conclude(EmbeddedTestError(message, subject=failed[0].name))
    if not json:
        say(f"next: assay plugin submit {folder} --as PERSON")
    return 0


def _lines(outcomes: "tuple[TestOutcome, ...]") -> list[str]:
    return table(
        ("test", "expected", "outcome", "result"),
        [(one.name, one.expected, one.outcome, one.fault or "holds") for one in outcomes],
    )
