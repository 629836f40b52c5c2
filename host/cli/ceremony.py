"""``assay trust``: the commands that change the trust root, and those that pass a proposed one among its holders."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, show
from host.cli.targets import check_target, write_target

if TYPE_CHECKING:
    from host.home import Home
    from registry.ceremony import Change, Proposal, Standing
    from registry.keys import Signer
    from registry.registry import Registry
    from registry.trust_root import Person

AlgorithmOption = Annotated[
    str,
    typer.Option(
        "--algorithm", help="Of a key made here: ed25519, or ecdsa-p256, which cannot cosign checkpoints."
    ),
]
IdOption = Annotated[str, typer.Option("--id", help="Id of the person or site; never given to anybody else.")]
ByOption = Annotated[
    list[str],
    typer.Option("--by", metavar="PERSON", help="Who holds a root key; repeat for more holders."),
]
ThresholdOption = Annotated[
    list[str] | None,
    typer.Option("--threshold", metavar="ROLE=N", help="How many persons of a role; may be repeated."),
]
PublicKeyOption = Annotated[
    Path | None,
    typer.Option("--public-key", help="Their public key file; without it a key is made here."),
]
ProposeOption = Annotated[
    Path | None,
    typer.Option("--propose", help="Log nothing: write the proposed root here, for its holders to sign."),
]
WhyOption = Annotated[str, typer.Option("--reason", help="Why; kept in the record.")]
FileArgument = Annotated[Path, typer.Argument(help="A proposed root, as --propose wrote it.")]
PinOption = Annotated[
    str | None,
    typer.Option("--trust-root", help="Digest of a version you trust; without it, the file's first one."),
]


@dataclass(frozen=True)
class Decided:
    """By whom, why, and whether to log the next root or to propose it."""

    by: list[str]
    reason: str
    propose: Path | None
    json: bool


def key(
    person_id: IdOption,
    out: Annotated[Path, typer.Option(help="Where to write the public key, for who enrols it.")],
    algorithm: AlgorithmOption = "ed25519",
    json: JsonFlag = False,
) -> None:
    """Make a person's key on their own machine, without a registry; only the public key leaves it."""
    from host.home import Home
    from registry.canonical import canonical_json

    check_target(out, "--out", new=True)
    home = Home.from_environment()
    home.ensure()
    following = session.key_file(home, person_id).exists()
    with session.new_key(home, person_id, algorithm, following=following) as signer:
        write_target(out, canonical_json(signer.public.model_dump(mode="json")) + b"\n")
    show(
        {"id": person_id, "keyid": signer.public.keyid, "public_key": str(out)},
        [f"key {signer.public.keyid[:16]} of {person_id}; public key written to {out}"],
        as_json=json,
        next_command=f"at the registry: assay trust enrol --id {person_id} --public-key {out}",
    )


def enrol(
    person_id: IdOption,
    name: Annotated[str, typer.Option("--name", help="Printed name, as signatures show it.")],
    role: Annotated[
        list[str], typer.Option("--role", help="developer, qa, sponsor, root or site; may be repeated.")
    ],
    by: ByOption,
    public_key: PublicKeyOption = None,
    algorithm: AlgorithmOption = "ed25519",
    threshold: ThresholdOption = None,
    propose: ProposeOption = None,
    reason: session.ReasonOption = "enrolment",
    json: JsonFlag = False,
) -> None:
    """Enrol a person or a site: the next version of the trust root, signed by its holders."""
    from host.enrolment import new_person, read_public_key, read_thresholds
    from registry.ceremony import Change

    home, registry = session.open_registry()
    decided, thresholds = Decided(by, reason, propose, json), read_thresholds(threshold or ())
    if public_key is not None:
        person = new_person(person_id, name, role, read_public_key(public_key))
        _decide(home, registry, Change(people=(person,), thresholds=thresholds), decided)
        return
    with session.new_key(home, person_id, algorithm) as signer:
        person = new_person(person_id, name, role, signer.public)
        _decide(home, registry, Change(people=(person,), thresholds=thresholds), decided)


def rotate(
    person_id: IdOption,
    by: ByOption,
    reason: WhyOption,
    public_key: PublicKeyOption = None,
    algorithm: AlgorithmOption = "ed25519",
    propose: ProposeOption = None,
    json: JsonFlag = False,
) -> None:
    """Give a person a new key and withdraw the old ones; also how a lost key is recovered, by the root holders."""
    from host.enrolment import check_person, read_public_key, with_key

    home, registry = session.open_registry()
    person, decided = registry.root.person(person_id), Decided(by, reason, propose, json)
    if public_key is not None:
        _decide(home, registry, _rekeyed(with_key(person, read_public_key(public_key))), decided)
        return
    check_person(person)
    with session.new_key(home, person_id, algorithm, following=True) as signer:
        change = _rekeyed(with_key(person, signer.public))
        # A root holder's new key signs as well: the new version counts no other of theirs.
        _decide(home, registry, change, decided, [signer] if "root" in person.roles else [])


def revoke(
    person_id: IdOption,
    by: ByOption,
    reason: WhyOption,
    key: Annotated[
        str | None, typer.Option("--key", help="One key, by the beginning of its id; without it, the person.")
    ] = None,
    propose: ProposeOption = None,
    json: JsonFlag = False,
) -> None:
    """Revoke a person or one key: nothing new counts; what was signed before keeps its weight."""
    from registry.ceremony import Change, without_key

    home, registry = session.open_registry()
    if key is None:
        change = Change(leaving=frozenset({person_id}))
    else:
        change = Change(people=(without_key(registry.root.person(person_id), key),))
    _decide(home, registry, change, Decided(by, reason, propose, json))


def amend(
    by: ByOption,
    reason: WhyOption,
    threshold: ThresholdOption = None,
    signing: Annotated[
        list[str] | None,
        typer.Option(
            "--signing",
            metavar="NAME=N",
            help="attempts, lock_minutes, series_minutes, warn_days or max_days (of a pass phrase).",
        ),
    ] = None,
    propose: ProposeOption = None,
    json: JsonFlag = False,
) -> None:
    """Change thresholds of the trust root, or its policy for signing: attempts, lock, series, age of pass phrases."""
    from host.enrolment import read_signing, read_thresholds
    from registry.ceremony import Change

    home, registry = session.open_registry()
    change = Change(
        thresholds=read_thresholds(threshold or ()),
        signing=read_signing(registry.root.signing_policy, signing or ()),
    )
    _decide(home, registry, change, Decided(by, reason, propose, json))


def proposal(file: FileArgument, trust_root: PinOption = None, json: JsonFlag = False) -> None:
    """Show what a proposed root changes, and who has signed it: read this before you sign."""
    from registry.ceremony import examine, read_proposal

    standing = examine(read_proposal(file), trust_root)
    _show_standing(file, standing, json=json)


def sign(
    file: FileArgument,
    person: session.AsOption,
    digest: Annotated[
        str, typer.Option("--digest", help="Of the proposed root: what you read is what you sign.")
    ],
    trust_root: PinOption = None,
    json: JsonFlag = False,
) -> None:
    """Sign a proposed root as one of its holders; needs the holder's key and the file, no registry."""
    from host.home import Home
    from registry.ceremony import countersign, examine, read_proposal, write_proposal

    check_target(file, "FILE")
    home = Home.from_environment()
    with session.refusals_logged(home, "trust-root/v1", person):
        read = read_proposal(file)
        standing = examine(read, trust_root)
    # Who changes their own root key signs twice: with the one that goes and the one that comes.
    used = frozenset(one.keyid for one in read.proposed.signatures)
    signer = session.unlock(home, person, standing.before.root, standing.proposed.root, used=used)
    with session.refusals_logged(home, "trust-root/v1", person):
        signed = countersign(read, person, signer, named=digest, pin=trust_root)
    write_proposal(file, signed)
    _show_standing(file, examine(signed, trust_root), json=json)


def adopt(file: FileArgument, json: JsonFlag = False) -> None:
    """Put a proposed root in force here, once its holders have signed it."""
    from registry.ceremony import differences, examine, read_proposal

    _, registry = session.open_registry()
    with registry.refusals_logged("trust-root/v1", registry.node_id):
        read = read_proposal(file)
        actor = examine(read, registry.pin).proposed.root.actor
    before = registry.root
    registry.log_root(read.envelope, by=actor)
    _show_in_force(registry, differences(before, registry.root), json=json)


def passphrase(person: session.AsOption, json: JsonFlag = False) -> None:
    """Change the pass phrase of a person's key file here, and record that it was changed."""
    from host.signing import typed
    from registry.access import PassphraseChanged
    from registry.keys import replace_passphrase
    from registry.policy import Action

    home, registry = session.open_registry()
    actor = session.act_as(home, registry, person, Action.PASSPHRASE_CHANGE)
    path = session.enrolled_file(home, person, registry.root)
    replace_passphrase(path, actor.signer, session.new_passphrase(person))
    record = registry.act(
        typed(
            PassphraseChanged,
            actor=person,
            role=actor.role,
            at=session.stamp(),
            reason="the pass phrase was changed",
            keyid=actor.signer.public.keyid,
        ),
        actor.signer,
    )
    show(
        {"id": person, "keyid": actor.signer.public.keyid, "record": record.digest},
        [f"key {actor.signer.public.keyid[:16]} of {person} lies under a new pass phrase"],
        as_json=json,
    )


def _rekeyed(person: "Person") -> "Change":
    from registry.ceremony import Change

    return Change(people=(person,))


def _decide(
    home: "Home",
    registry: "Registry",
    change: "Change",
    decided: Decided,
    besides: "Sequence[Signer]" = (),
) -> None:
    """Log the next root with the keys here, or write it down for the other holders to sign."""
    from registry.ceremony import differences, examine, write_proposal

    if decided.propose is not None:
        check_target(decided.propose, "--propose", new=True)
    before = registry.root
    signers = [*(session.unlock_here(home, registry, one) for one in decided.by), *besides]
    if decided.propose is None:
        registry.change_root(change, signers, reason=decided.reason)
        _show_in_force(registry, differences(before, registry.root), json=decided.json)
        return
    drawn_up: Proposal = registry.propose(change, signers, reason=decided.reason)
    write_proposal(decided.propose, drawn_up)
    _show_standing(decided.propose, examine(drawn_up, registry.pin), json=decided.json)


def _show_in_force(registry: "Registry", lines: Sequence[str], *, json: bool) -> None:
    show(
        {
            "trust_root": registry.root_digest,
            "version": registry.root.version,
            "changes": lines,
            "root": registry.root,
        },
        [*lines, f"trust root {registry.root.version}  {registry.root_digest}"],
        as_json=json,
        next_command="assay trust show",
    )


def _show_standing(file: Path, standing: "Standing", *, json: bool) -> None:
    from registry.ceremony import differences

    root, lines = standing.proposed.root, differences(standing.before.root, standing.proposed.root)
    signed = [
        f"root holders of version {one.version}: {len(one.signed)} of {one.needed} have signed"
        f" ({', '.join(sorted(one.signed)) or 'nobody'}); they are {', '.join(sorted(one.holders))}"
        for one in standing.tallies
    ]
    show(
        {
            "file": str(file),
            "digest": standing.proposed.digest,
            "version": root.version,
            "drawn_up": {"by": root.actor, "at": root.at, "reason": root.reason},
            "changes": lines,
            "complete": standing.complete,
            "signed": {str(one.version): sorted(one.signed) for one in standing.tallies},
            "needed": {str(one.version): one.needed for one in standing.tallies},
        },
        [
            f"proposed trust root {root.version} of {root.organisation}  {standing.proposed.digest}",
            f"drawn up by {root.actor}, {root.at}: {root.reason}",
            *[f"  {line}" for line in lines],
            *signed,
        ],
        as_json=json,
        next_command=f"assay trust adopt {file}"
        if standing.complete
        else f"assay trust sign {file} --digest {standing.proposed.digest} --as PERSON",
    )
