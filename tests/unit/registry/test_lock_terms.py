import base64
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from registry.dsse import open_envelope
from registry.errors import ScopeError
from registry.keys import PublicKey
from registry.lock_terms import check_gpus, context_faults
from registry.statements import ContextOfUse, GpuRef, TrialCreated, TrialLock, parse_statement
from registry.terms import Amendment, Document, LeastAccepted, LockTerms
from tests.support.registry_builders import World, digest_of

GOLDEN = Path(__file__).parents[2] / "vectors" / "trial_lock_v1.json"
APPROVED = ContextOfUse(
    measurand="whole-brain volume", population="adults", modality="MR", endpoint_role="secondary"
)


def test_a_lock_signed_before_terms_existed_verifies_and_means_what_it_meant() -> None:
    golden = json.loads(GOLDEN.read_text())
    key = PublicKey.model_validate(golden["key"])
    opened = [
        open_envelope(json.dumps(golden[one]).encode(), keys={key.keyid: key}) for one in ("trial", "lock")
    ]
    trial, lock = (parse_statement(one.payload) for one in opened)
    assert lock.payload_digest == golden["lock_digest"]
    read = lock.read(TrialLock)
    assert (read.terms, read.amendment, read.slots[0].context, read.slots[0].domain) == (None, None, None, ())
    assert trial.read(TrialCreated).trial == read.trial
    assert b"amendment" not in base64.b64decode(golden["lock"]["payload"])


def test_a_lock_states_its_papers_its_least_evidence_and_its_gpus(approved: World) -> None:
    approved.open_trial()
    terms = LockTerms(
        least=LeastAccepted(verdict="met", evidence="patient", scope="endpoint"),
        protocol=Document(version="2.0", digest=digest_of("protocol")),
        imaging_charter=Document(version="1.1", digest=digest_of("charter")),
        analysis_plan=Document(version="1.0", digest=digest_of("plan")),
        gpus=("cpu", "Test GPU"),
    )
    approved.lock(terms=terms)
    assert approved.sponsor.trial("trial-1").locks[0].lock.terms == terms


def test_a_narrower_use_than_the_approved_one_is_covered() -> None:
    assert context_faults(APPROVED, APPROVED.model_copy(update={"endpoint_role": "exploratory"})) == []
    assert context_faults(APPROVED, None) == []


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("measurand", "lesion volume", "approved is measurand 'whole-brain volume', used is 'lesion volume'"),
        ("population", "children", "approved is population 'adults', used is 'children'"),
        ("modality", "CT", "approved is modality 'MR', used is 'CT'"),
        ("tracer", "FDG", "approved is tracer None, used is 'FDG'"),
        ("endpoint_role", "primary", "approved as endpoint is 'secondary', used is 'primary'"),
    ],
)
def test_each_way_of_using_more_than_was_approved_is_named(field: str, value: str, fault: str) -> None:
    assert context_faults(APPROVED, APPROVED.model_copy(update={field: value})) == [fault]


def test_an_approval_in_words_alone_covers_no_stated_use() -> None:
    (fault,) = context_faults(None, APPROVED)
    assert fault.startswith("the approval does not say measurand")


def test_a_scope_that_was_not_approved_names_the_evidence_that_is_missing(world: World) -> None:
    world.submit()
    world.register_kit(evidence="derived")
    world.cosign()
    world.start_validation()
    world.report(evidence="derived")
    world.sign("quinn", "report")
    world.approve(scope="exploratory")
    world.open_trial()
    with pytest.raises(ScopeError, match="exploratory, not endpoint: the evidence is derived, not patient"):
        world.lock()


def test_terms_without_gpus_allow_any_and_a_list_may_hold_cpu() -> None:
    device = GpuRef(uuid="GPU-1", model="Test GPU", vram_bytes=1, driver="1", compute_capability="8.0")
    check_gpus("trial-1", None, (device,))
    check_gpus("trial-1", LockTerms(), (device,))
    check_gpus("trial-1", LockTerms(gpus=("cpu",)), ())
    check_gpus("trial-1", LockTerms(gpus=("Test GPU",)), (device,))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "deviation"},
        {"kind": "recall", "impact": "none", "justification": "  "},
        {"kind": "planned-change", "justification": "why"},
        {"kind": "initiation", "impact": "none", "justification": "why"},
    ],
)
def test_an_amendment_says_its_impact_and_why_and_an_initiation_has_none(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Amendment.model_validate(fields)
