"""Every rule of the contract in one place: those of the document, of the manifest, of a review, and of the files."""

from collections.abc import Callable
from typing import Final

from host.check import adapter, files, test_inputs
from host.check.folder import PluginFolder
from plugin_spec.faults import Found, RuleText, text_of
from plugin_spec.review import REVIEW
from plugin_spec.rules import RULES

FileRule = Callable[[PluginFolder], Found]

FILE_RULES: Final[dict[str, FileRule]] = {
    "C501": adapter.adapter_is_python,
    "C502": adapter.adapter_answers,
    "C503": files.requirements_are_hashed,
    "C504": test_inputs.test_files_are_there,
    "C505": test_inputs.test_files_are_readable,
    "C506": test_inputs.references_are_readable,
    "C507": files.image_files_are_there,
    "C508": files.weights_can_be_fetched,
    "C509": files.licences_are_known,
    "C510": files.dockerfiles_fetch_what_is_pinned,
    "C511": files.debian_locks_answer,
    "C751": adapter.names_in_code_are_declared,
}


def rule_texts() -> tuple[RuleText, ...]:
    """Every rule by its number, with what it demands and what to do where it is broken."""
    from plugin_spec.document_faults import DOCUMENT_RULES

    found = [
        *DOCUMENT_RULES,
        *(text_of(rule) for rules in (RULES, REVIEW, FILE_RULES) for rule in rules.values()),
    ]
    return tuple(sorted(found, key=lambda one: one.number))
