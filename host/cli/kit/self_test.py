"""``assay kit self-test``: the statistics engine against published numbers, on this installation."""

from typing import TYPE_CHECKING

from host.cli.answer import JsonFlag, conclude, say, show, table

if TYPE_CHECKING:
    from host.reports.sections import SelfTestSection


def self_test(json: JsonFlag = False) -> int:
    """Compute published numbers again with the functions that judge a validation, and compare."""
    from host.home import Home
    from host.reports.self_test import self_test_section

    return answer(self_test_section(Home.from_environment(), say=say), json=json)


def answer(found: "SelfTestSection", *, json: bool) -> int:
    """Show a self-test, and return the exit code: fine only where every number that was computed is right."""
    from host.errors import SelfTestError

    next_command = "assay validate PLUGIN@VERSION --kit FOLDER --as PERSON" if found.passed else ""
    show(found, _lines(found), as_json=json, next_command=next_command)
    if found.passed:
        return conclude(None)
    failed = sorted({one.id for one in found.oracles if not one.passed})
    return conclude(
        SelfTestError(
            f"this installation does not reproduce {', '.join(failed)}",
            subject=failed[0],
            hint="validate nothing with it: install the pinned versions of host/requirements/runtime.txt, and compare",
        )
    )


def _lines(found: "SelfTestSection") -> list[str]:
    rows = [
        (
            one.id,
            one.quantity,
            f"{one.expected:.8g}",
            "-" if one.found is None else f"{one.found:.8g}",
            f"{one.tolerance:.1g}",
            "passed" if one.passed else "FAILED",
        )
        for one in found.oracles
    ]
    passed = sum(one.passed for one in found.oracles)
    versions = ", ".join(f"{name} {number}" for name, number in found.versions.items())
    return [
        *table(("oracle", "quantity", "published", "found", "within", ""), rows),
        "",
        f"{passed} of {len(found.oracles)} published numbers reproduced ({versions})",
        *(f"{one.id}: {one.numbers} numbers {one.reason}" for one in found.not_run),
    ]
