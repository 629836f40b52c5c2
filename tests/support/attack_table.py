"""The table of attacks against the tests that make them: error code, exit status, and where each attack shows."""

from collections.abc import Iterator, Mapping

from host import errors as host_errors
from plugin_spec import errors as plugin_errors
from plugin_spec.errors import AssayError, ExitCode
from registry import errors as registry_errors
from tests.support.bundle_corpus import CORPUS
from tests.support.traceability import NOT_RUN, TWIN, Attack, attacks, showing

RECORDS = ("refusal", "fault", "run-finished", "none", "contained")


def error_classes() -> dict[str, type[AssayError]]:
    """Every named error by its code."""
    everything = (*vars(plugin_errors).values(), *vars(registry_errors).values(), *vars(host_errors).values())
    named = [one for one in everything if isinstance(one, type) and issubclass(one, AssayError)]
    return {one.code: one for one in named}


def exit_status(attack: Attack) -> ExitCode:
    """What the command ends with that meets this attack. Raises `KeyError` for a code of no error."""
    if attack.record == "fault":
        return host_errors.LogFaultError.exit_code
    if attack.record == "run-finished":
        return host_errors.CaseFailureError.exit_code
    return error_classes()[str(attack.code)].exit_code


def names_for(attack: Attack) -> set[str]:
    """What a test may call the attack's error: its code, or the class that has it."""
    known = error_classes().get(str(attack.code))
    # What a model does not let in is a pydantic error inside, and this one at the border: `values.named_faults`.
    inside = {"ValidationError"} if known is registry_errors.ValueRefusedError else set()
    return {str(attack.code)} | ({known.__name__} if known else set()) | inside


CORPUS_TEST = (
    "tests/redteam/test_bundle_corpus.py::"
    "test_a_forged_bundle_is_refused_by_both_and_leaves_a_refusal_at_the_site"
)


def table(results: Mapping[str, str]) -> Iterator[str]:
    """The lines of the page."""
    made = showing("attack")
    yield "# Attacks\n"
    for one in attacks().values():
        if one.code is None:
            yield f"## {one.name}\n\n- no test yet\n"
            continue
        yield f"## {one.name}\n\n{_said(one)}\n"
        tests = [*made.get(one.name, ()), *([CORPUS_TEST] if one.name in CORPUS else [])]
        yield from (f"- {results.get(name, NOT_RUN)}: {name}" for name in tests)
        yield f"- {results.get(str(one.honest), NOT_RUN)}: {one.honest}{TWIN}\n"
    yield "# Forged bundles\n"
    yield "Refused by `assay verify` and `tests/redteam/independent_verifier.py`; a site logs the refusal.\n"
    yield from (f"- `{one.code}`: {name}" for name, one in CORPUS.items())


def _said(attack: Attack) -> str:
    if attack.record == "contained":
        return "Has no effect."
    return f"`{attack.code}`, exit {int(exit_status(attack))}, record: {attack.record}"
