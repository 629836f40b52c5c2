"""Every rule of a kit in one list, by its number."""

from collections.abc import Callable
from typing import Final

from host.kits.check import agreement, files, review
from host.kits.check.parts import Found, KitParts
from plugin_spec.faults import RuleText, text_of

Rule = Callable[[KitParts], Found]

RULES: Final[dict[str, Rule]] = {
    "K101": agreement.the_protocol_is_the_kits,
    "K102": agreement.cases_have_what_metrics_compare_with,
    "K103": agreement.cases_have_their_strata,
    "K104": agreement.evidence_is_that_of_the_weakest_case,
    "K105": agreement.reference_classes_are_declared,
    "K106": agreement.perturbed_and_repeated_cases_are_there,
    "K107": agreement.metrics_are_registered,
    "K108": agreement.the_plan_makes_sense,
    "K201": files.sources_can_be_fetched,
    "K202": files.licences_are_known,
    "K203": files.case_files_have_their_digests,
    "K204": files.the_generator_can_be_built,
    "K205": files.something_makes_the_case_files,
    "K206": files.listings_are_those_declared,
    "K701": review.criteria_can_end_in_a_verdict,
    "K702": review.columns_are_used,
    "K703": review.sources_are_used,
    "K704": review.something_is_to_be_refused,
    "K705": review.measurands_are_judged,
    "K706": review.a_smoke_subset_is_marked,
    "K707": review.readers_agreement_is_known,
    "K708": review.readers_are_described,
    "K709": review.the_data_can_be_cited,
    "K710": review.the_folder_is_complete,
    "K711": review.people_have_typed_their_part,
    "K712": review.times_have_a_unit,
}
TABLE_RULES: Final = (
    RuleText(
        "K008", "cases.csv is a table whose columns are known and stand once", "correct the column's name"
    ),
    RuleText("K009", "a cell holds what its column takes", "correct the cell"),
)


def rule_texts() -> tuple[RuleText, ...]:
    """Every rule by its number, with what it demands and what to do where it is broken."""
    from plugin_spec.document_faults import DOCUMENT_RULES

    documents = (
        RuleText(kit_number(one.number), one.demands.replace("plugin.toml", "each document"), one.fix)
        for one in DOCUMENT_RULES
    )
    return (*documents, *TABLE_RULES, *(text_of(rule) for rule in RULES.values()))


def kit_number(number: str) -> str:
    """The number under which a rule of documents stands among those of kits."""
    return f"K{number[1:]}"
