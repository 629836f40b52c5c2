"""Locks are proposed from what is approved, and signed by who has read the newest one."""

from dataclasses import replace
from pathlib import Path

import pytest

from host.cli.lock_options import with_terms
from host.errors import DomainWidenedError, OptionError, ParameterError, ReleaseUnknownError
from host.home import now
from host.lock_file import SlotTerms, TermsFile, read_terms
from host.locking import Wanted, check_lockable_parameters, check_tightens, newest_lock, propose_lock
from host.site import tightened
from plugin_spec.domain import DomainRule
from plugin_spec.manifest import Manifest
from plugin_spec.ports import FloatParameter
from registry.canonical import digest
from registry.errors import NotApprovedError, WrongStateError
from registry.registry import Registry
from registry.statements import Threshold, TrialCreated, TrialLock
from registry.terms import Document
from registry.trust_root import Role
from tests.support.registry_builders import AMENDED, seeded
from tests.support.tiny import RELEASE, TRIAL
from tests.support.tiny_host import SITE, TinyHost, refusals


def open_trial(host: TinyHost) -> None:
    created = TrialCreated(**host.stamp("sofia"), trial=TRIAL, title="Tiny", scope="demonstration")
    host.registry.act(created, host.keys["sofia"])


def propose(host: TinyHost, release: str = RELEASE, warm: tuple[str, ...] = (), **changes: object) -> None:
    propose_lock(
        host.registry,
        host.actor("sofia", Role.SPONSOR),
        TRIAL,
        replace(
            Wanted(slots={"bright": release}, sites=(SITE,), engines=("memory",), warm=frozenset(warm)),
            **changes,  # type: ignore[arg-type] # a test changes single fields
        ),
        reason="start",
    )


def test_a_slot_that_is_to_permit_warm_containers_must_be_one_of_the_lock(host: TinyHost) -> None:
    open_trial(host)
    with pytest.raises(OptionError, match="--warm dark: the lock has no such slot"):
        propose(host, warm=("dark",))


def test_a_lock_freezes_digests_and_parameters(host: TinyHost) -> None:
    site = Registry.create_site(host.folder / "site", site_id=SITE, clock=now, random=seeded(SITE))
    lock = host.locked(site)
    (slot,) = lock.statement.read(TrialLock).slots
    release = host.release
    assert (slot.image, slot.manifest, slot.weights) == (
        release.image,
        release.manifest_digest,
        release.weight_refs,
    )
    assert (slot.parameters, slot.verdict) == ({}, "met")
    assert newest_lock(host.registry, TRIAL, named=lock.digest) == lock


def test_nobody_signs_a_lock_that_is_not_the_newest(host: TinyHost) -> None:
    site = Registry.create_site(host.folder / "site", site_id=SITE, clock=now, random=seeded(SITE))
    old = host.locked(site)
    propose(host, amendment=AMENDED)
    with pytest.raises(WrongStateError, match="the newest lock of tiny-trial is"):
        newest_lock(host.registry, TRIAL, named=old.digest)


def test_a_release_that_was_not_approved_cannot_be_locked(host: TinyHost) -> None:
    open_trial(host)
    with pytest.raises(NotApprovedError):
        propose(host)
    with pytest.raises(ReleaseUnknownError):
        propose(host, "tiny-volumes@9.9.9")


def test_a_trial_without_a_lock_says_how_to_make_one(host: TinyHost) -> None:
    open_trial(host)
    with pytest.raises(WrongStateError, match="has no lock yet") as refused:
        newest_lock(host.registry, TRIAL, named="sha256:" + "0" * 64)
    assert refused.value.hint == f"assay trial lock {TRIAL}"


def lock_terms(folder: Path, text: str) -> TermsFile:
    path = folder / "terms.toml"
    path.write_text(text)
    return read_terms(path)


def test_a_terms_file_names_papers_by_their_bytes(tmp_path: Path) -> None:
    (tmp_path / "charter.txt").write_bytes(b"charter")
    told = lock_terms(
        tmp_path,
        'gpus = ["cpu"]\n[policy]\nqa = 2\nsponsor = 1\n'
        '[imaging_charter]\nversion = "1.1"\nfile = "charter.txt"\n'
        '[slots.bright.context]\nmeasurand = "m"\npopulation = "p"\nmodality = "MR"\nendpoint_role = "none"\n',
    )
    terms = told.lock_terms(tmp_path)
    assert terms.imaging_charter == Document(version="1.1", digest=digest(b"charter"))
    assert (terms.gpus, terms.least, terms.protocol) == (("cpu",), None, None)
    assert told.thresholds == (Threshold(role="qa", count=2), Threshold(role="sponsor", count=1))
    assert told.slots["bright"].context is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gpus = []", "gpus"),
        ("[policy]\nqa = 0", "policy.qa is 0; give a number of persons from 1 to 9"),
        ('[protocol]\nversion = "1"', "give one of the two"),
        ('[least]\nverdict = "good"', "least.verdict"),
        ("[slots.bright]\nparameter = 1", "slots.bright.parameter"),
    ],
)
def test_a_terms_file_that_does_not_fit_gets_one_line_with_file_and_field(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(OptionError) as refused:
        lock_terms(tmp_path, text)
    assert "terms.toml" in refused.value.message
    assert said in refused.value.message
    assert "\n" not in refused.value.message


def test_a_paper_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    told = lock_terms(tmp_path, '[protocol]\nversion = "1"\nfile = "none.pdf"')
    with pytest.raises(OptionError, match=r"none\.pdf: No such file"):
        told.lock_terms(tmp_path)


def test_a_value_on_the_command_line_goes_over_the_files(tmp_path: Path) -> None:
    path = tmp_path / "terms.toml"
    path.write_text("[slots.bright.parameters]\nlevel = 1\nother = true\n")
    wanted = Wanted(slots={"bright": RELEASE}, sites=(SITE,), engines=("memory",))
    told = with_terms(wanted, path, ["bright.level=2"])
    assert told.slot_terms["bright"].parameters == {"level": 2, "other": True}
    with pytest.raises(OptionError, match=r"expected SLOT\.NAME=VALUE"):
        with_terms(wanted, None, ["level=2"])


def manifest_with(host: TinyHost, *parameters: FloatParameter) -> Manifest:
    rule = DomainRule(
        port="scan",
        tag="MagneticFieldStrength",
        minimum=1.0,
        maximum=3.0,
        unit="T",
        missing="flag",
        outside="refuse",
        evidence="the kit",
    )
    return host.manifest.model_copy(update={"parameters": parameters, "domain": (rule,)})


def test_a_narrower_rule_or_one_on_a_new_tag_tightens(host: TinyHost) -> None:
    manifest = manifest_with(host)
    (rule,) = manifest.domain
    check_tightens(manifest, [rule, rule.model_copy(update={"minimum": 1.5, "missing": "refuse"})])
    vendor = DomainRule(
        port="scan",
        tag="Manufacturer",
        one_of=("Siemens",),
        missing="refuse",
        outside="refuse",
        evidence="charter",
    )
    check_tightens(manifest, [vendor])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"minimum": 0.5}, "its minimum is below the declared 1"),
        ({"maximum": None}, "its maximum is above the declared 3"),
        ({"missing": "accept"}, "missing = 'accept' is milder than the declared 'flag'"),
        ({"outside": "flag"}, "outside = 'flag' is milder than the declared 'refuse'"),
        ({"unit": "mm"}, "no rule of the same kind and unit"),
        ({"port": "other"}, "the plugin has no such input"),
    ],
)
def test_a_wider_rule_is_refused(host: TinyHost, changes: dict[str, object], said: str) -> None:
    manifest = manifest_with(host)
    (rule,) = manifest.domain
    with pytest.raises(DomainWidenedError, match=said):
        check_tightens(manifest, [rule.model_copy(update=changes)])


def test_a_parameter_that_no_lock_may_set_is_refused(host: TinyHost) -> None:
    level = FloatParameter(
        name="level",
        summary="a level",
        kind="float",
        unit="1",
        default=1.0,
        minimum=0.0,
        maximum=2.0,
        lockable=False,
    )
    manifest = manifest_with(host, level)
    check_lockable_parameters(manifest, {"level": 1.0})
    with pytest.raises(ParameterError, match="lets no lock set it"):
        check_lockable_parameters(manifest, {"level": 1.5})


def test_a_value_that_the_manifest_does_not_allow_is_refused_and_logged(host: TinyHost) -> None:
    site = Registry.create_site(host.folder / "site", site_id=SITE, clock=now, random=seeded(SITE))
    host.locked(site)
    slot_terms = {"bright": SlotTerms(parameters={"level": 1})}
    with pytest.raises(ParameterError, match="has no parameter 'level'"):
        propose(host, amendment=AMENDED, slot_terms=slot_terms)
    assert refusals(host.registry)[-1].error == "parameter-refused"


def test_a_locked_rule_is_judged_beside_the_manifests_own(host: TinyHost) -> None:
    site = Registry.create_site(host.folder / "site", site_id=SITE, clock=now, random=seeded(SITE))
    lock = host.locked(site)
    rule = manifest_with(host).domain[0]
    (slot,) = lock.statement.read(TrialLock).slots
    release = tightened(host.release, slot.model_copy(update={"domain": (rule,)}))
    assert release.manifest.domain == (*host.release.manifest.domain, rule)
    assert release.manifest_digest == host.release.manifest_digest
