"""Trust roots: what a root must hold, and chains that cannot be forked, shortened or taken over."""

from typing import Any

import pytest
from pydantic import ValidationError

from registry import dsse
from registry.canonical import canonical_json, digest
from registry.errors import (
    MalformedJsonError,
    PayloadTypeError,
    RoleError,
    RootPinError,
    RootThresholdError,
    RootVersionError,
    SignatureError,
    TrustRootError,
    UnknownKeyError,
)
from registry.statements import PAYLOAD_TYPE, TrialCreated, make_statement
from registry.trust_root import Person, Role, TrustRoot, verify_chain, verify_history
from tests.support.trust import AT, people, person, root_envelope, signer, trust_root

FIRST = trust_root()
FIRST_DATA = root_envelope(FIRST, "rita", "rolf")
FIRST_DIGEST = digest(dsse.unverified_payload(FIRST_DATA))


def second(**changes: Any) -> TrustRoot:
    return trust_root(**{"version": 2, "previous": FIRST_DIGEST, "reason": "the next version", **changes})


def without(*ids: str) -> tuple[Person, ...]:
    return tuple(item for item in people() if item.id not in ids)


# ---- one root


def test_a_root_knows_whose_key_it_is_and_what_they_may() -> None:
    dana = signer("dana").public
    assert FIRST.person_of(dana.keyid).id == "dana"
    assert FIRST.keys_of(Role.DEVELOPER) == {dana.keyid: dana}
    assert len(FIRST.keys()) == len(people())
    with pytest.raises(UnknownKeyError):
        FIRST.person_of(signer("eve").public.keyid)
    with pytest.raises(RoleError):
        FIRST.person("eve")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"people": (*people(), person("dana", keys=["other"], name="Other Dana"))}, "an id is listed twice"),
        ({"people": (*people(), person("twin", keys=["dana"]))}, "a public key is listed twice"),
        ({"people": (*people(), person("dana-2", name="DANA"))}, "a printed name is listed twice"),
        ({"thresholds": {Role.ROOT: 3}}, "not reachable"),
        ({"thresholds": {Role.ROOT: 0}}, "not reachable"),
        ({"thresholds": {Role.ROOT: 2, Role.SPONSOR: 2}}, "not reachable"),
        ({"thresholds": {Role.QA: 1}}, "the root role needs a threshold"),
        ({"version": 2}, "has no previous root"),
        ({"previous": digest(b"")}, "has no previous root"),
        ({"version": 0}, "greater than 0"),
        ({"people": ()}, "at least 1"),
    ],
)
def test_a_root_that_breaks_its_invariants_cannot_be_made(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        trust_root(**changed)


@pytest.mark.attack("id that could be mistaken or holds SQL")
@pytest.mark.parametrize(
    "person_id",
    ["d", "Dana", "däna", "dаna", "dana ", "dana\n", "-dana", "../dana", "a" * 64, "ｄana", "da'na;--"],
)
def test_an_id_that_could_be_mistaken_is_refused(person_id: str) -> None:
    with pytest.raises(ValidationError, match="id"):
        person(person_id, keys=["dana"], name="Dana")


@pytest.mark.attack("homoglyph name")
@pytest.mark.parametrize(
    "name",
    ["Dаna Doe", "Dana  Doe", " Dana", "Dana\nDoe", "ﬁona", "Dana\u202eeoD", "Dana\u200bDoe", "Danα Doe"],
)
def test_a_printed_name_that_could_be_mistaken_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        person("dana", name=name)


@pytest.mark.parametrize(
    "name", ["Dana Doe", "José Álvarez-Ñúñez", "Дана Иванова", "Δανάη", "李 薇", "O'Brien, D."]
)
def test_real_names_are_accepted(name: str) -> None:
    assert person("dana", name=name).name == name


def test_one_person_with_two_keys_signs_once() -> None:
    rita = person("rita", Role.ROOT, keys=["rita", "rita-token"])
    root = trust_root(people=(rita, *without("rita")))
    keyids = frozenset(signer(name).public.keyid for name in ("rita", "rita-token", "eve"))
    assert root.signed_by(keyids, Role.ROOT) == {"rita"}
    with pytest.raises(RootThresholdError):
        verify_chain([root_envelope(root, "rita", "rita-token")], None)


# ---- a chain


def test_a_first_root_signed_by_its_threshold_is_accepted() -> None:
    assert verify_chain([FIRST_DATA], None) == FIRST
    assert verify_chain([FIRST_DATA], FIRST_DIGEST) == FIRST


@pytest.mark.requirement("R26")
def test_a_rotation_signed_by_old_and_new_is_accepted_and_history_is_kept() -> None:
    new = second(people=(*without("rolf"), person("rosa", Role.ROOT)))
    data = root_envelope(new, "rita", "rolf", "rosa")
    history = verify_history([FIRST_DATA, data], FIRST_DIGEST)
    assert [item.root for item in history] == [FIRST, new]
    assert history[0].digest == FIRST_DIGEST
    assert verify_chain([FIRST_DATA, data], history[1].digest) == new


@pytest.mark.parametrize("names", [["rita"], ["rita", "dana"], ["rita", "eve"]])
def test_a_first_root_below_its_threshold_is_refused(names: list[str]) -> None:
    with pytest.raises(RootThresholdError) as caught:
        verify_chain([root_envelope(FIRST, *names)], None)
    assert caught.value.code == "root-threshold"


def test_a_root_that_nobody_in_it_signed_is_refused() -> None:
    with pytest.raises(SignatureError):
        verify_chain([root_envelope(FIRST, "eve", "mallory")], None)


@pytest.mark.attack("root rotation without the old threshold")
@pytest.mark.parametrize(
    "names", [["rita", "rosa"], ["rosa", "ruth"], ["rita", "rolf"], ["rita", "rolf", "ruth"]]
)
def test_a_rotation_without_the_old_or_the_new_threshold_is_refused(names: list[str]) -> None:
    new = second(
        people=(*without("rita", "rolf"), person("rosa", Role.ROOT), person("ruth", Role.ROOT)), actor="ruth"
    )
    with pytest.raises(RootThresholdError):
        verify_chain([FIRST_DATA, root_envelope(new, *names)], FIRST_DIGEST)


def test_a_root_is_signed_by_the_person_who_drew_it_up() -> None:
    new = second(people=(*people(), person("rosa", Role.ROOT)), actor="rosa")
    with pytest.raises(RootThresholdError, match="did not sign"):
        verify_chain([FIRST_DATA, root_envelope(new, "rita", "rolf")], None)
    assert verify_chain([FIRST_DATA, root_envelope(new, "rita", "rolf", "rosa")], None) == new


@pytest.mark.attack("root version skip")
def test_a_skipped_version_is_refused() -> None:
    with pytest.raises(RootVersionError) as caught:
        verify_chain([FIRST_DATA, root_envelope(second(version=3), "rita", "rolf")], None)
    assert caught.value.code == "root-version-skip"


@pytest.mark.attack("root version skip")
def test_a_chain_without_its_first_version_is_refused() -> None:
    with pytest.raises(RootVersionError):
        verify_chain([root_envelope(second(), "rita", "rolf")], None)
    with pytest.raises(RootVersionError):
        verify_chain([], None)


def test_a_root_that_continues_another_one_is_refused() -> None:
    with pytest.raises(RootVersionError, match="does not continue"):
        verify_chain([FIRST_DATA, root_envelope(second(previous=digest(b"other")), "rita", "rolf")], None)
    with pytest.raises(RootVersionError, match="another organisation"):
        verify_chain([FIRST_DATA, root_envelope(second(organisation="Other"), "rita", "rolf")], None)


@pytest.mark.attack("root of another chain than pinned")
def test_a_chain_that_does_not_hold_the_pinned_root_is_refused() -> None:
    mine = trust_root(reason="another beginning")
    forked = root_envelope(mine, "rita", "rolf")
    with pytest.raises(RootPinError) as caught:
        verify_chain([forked], FIRST_DIGEST)
    assert caught.value.code == "root-pin-mismatch"


@pytest.mark.attack("root of another chain than pinned")
def test_a_chain_cut_back_behind_the_pinned_root_is_refused() -> None:
    new = root_envelope(second(), "rita", "rolf")
    pin = digest(dsse.unverified_payload(new))
    assert verify_chain([FIRST_DATA, new], pin).version == 2
    with pytest.raises(RootPinError):
        verify_chain([FIRST_DATA], pin)


def test_a_changed_byte_in_a_root_is_refused() -> None:
    payload = dsse.unverified_payload(FIRST_DATA)
    forged = dsse.sign(payload.replace(b"Institute", b"Institutf"), PAYLOAD_TYPE, [signer("eve")])
    with pytest.raises(SignatureError):
        verify_chain([forged], None)


@pytest.mark.attack("predicateType swap")
def test_a_record_of_another_type_is_no_root_even_signed_by_everybody() -> None:
    other = TrialCreated(
        actor="rita", role="root", at=AT, reason="swap", trial="trial-1", title="T", scope="exploratory"
    )
    data = dsse.sign(make_statement(other), PAYLOAD_TYPE, [signer("rita"), signer("rolf")])
    with pytest.raises(TrustRootError, match="not a trust-root"):
        verify_chain([data], None)


@pytest.mark.attack("duplicate-key JSON validly signed")
def test_a_root_with_a_duplicate_key_is_refused_although_validly_signed() -> None:
    payload = dsse.unverified_payload(FIRST_DATA).replace(b'"version":1', b'"version":1,"version":1')
    data = dsse.sign(payload, PAYLOAD_TYPE, [signer("rita"), signer("rolf")])
    with pytest.raises(MalformedJsonError):
        verify_chain([data], None)


@pytest.mark.attack("payloadType swap")
def test_a_root_in_another_kind_of_envelope_is_refused() -> None:
    data = dsse.sign(
        dsse.unverified_payload(FIRST_DATA), "application/json", [signer("rita"), signer("rolf")]
    )
    with pytest.raises(PayloadTypeError):
        verify_chain([data], None)


def test_a_root_that_breaks_its_invariants_is_refused_although_validly_signed() -> None:
    payload = dsse.unverified_payload(FIRST_DATA).replace(b'"root":2', b'"root":9')
    data = dsse.sign(payload, PAYLOAD_TYPE, [signer("rita"), signer("rolf")])
    with pytest.raises(TrustRootError, match="not reachable") as caught:
        verify_chain([data], None)
    assert caught.value.code == "malformed-root"


@pytest.mark.requirement("R14")
def test_an_id_never_passes_to_somebody_else_even_after_they_left() -> None:
    new = second(people=without("dana"))
    data = root_envelope(new, "rita", "rolf")
    again = trust_root(
        version=3,
        previous=digest(dsse.unverified_payload(data)),
        people=(*without("dana"), person("dana", Role.DEVELOPER, keys=["other"], name="Dan Other")),
    )
    with pytest.raises(TrustRootError, match="passes from Dana to Dan Other"):
        verify_chain([FIRST_DATA, data, root_envelope(again, "rita", "rolf")], None)


@pytest.mark.requirement("R14")
@pytest.mark.attack("shared account")
def test_a_key_never_passes_to_somebody_else() -> None:
    new = second(people=(*without("dana"), person("diego", Role.DEVELOPER, keys=["dana"])))
    with pytest.raises(TrustRootError, match="was another's"):
        verify_chain([FIRST_DATA, root_envelope(new, "rita", "rolf")], None)


@pytest.mark.requirement("R14", "R26")
def test_a_person_may_change_their_name_or_their_key() -> None:
    renamed = second(people=(*without("dana"), person("dana", Role.DEVELOPER, name="Dana Roe")))
    rekeyed = second(people=(*without("dana"), person("dana", Role.DEVELOPER, keys=["dana-new"])))
    for new in (renamed, rekeyed):
        assert verify_chain([FIRST_DATA, root_envelope(new, "rita", "rolf")], None) == new


def test_a_person_may_change_their_name_and_later_their_key() -> None:
    renamed = second(
        people=(*without("dana"), person("dana", Role.DEVELOPER, keys=["dana", "dana-new"], name="Dana Roe"))
    )
    data = root_envelope(renamed, "rita", "rolf")
    rekeyed = trust_root(
        version=3,
        previous=digest(dsse.unverified_payload(data)),
        people=(*without("dana"), person("dana", Role.DEVELOPER, keys=["dana-new"], name="Dana Roe")),
    )
    assert verify_chain([FIRST_DATA, data, root_envelope(rekeyed, "rita", "rolf")], FIRST_DIGEST) == rekeyed


def test_the_same_root_always_has_the_same_bytes() -> None:
    assert make_statement(trust_root()) == make_statement(FIRST)
    assert canonical_json(FIRST.model_dump(mode="json")) in make_statement(FIRST)
