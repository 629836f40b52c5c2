"""``assay trust``: who may sign what."""

from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, show, table
from host.cli.targets import check_target, write_target
from host.home import Home, now, random_bytes

app = typer.Typer(help="The trust root: people, roles and keys.", no_args_is_help=True, rich_markup_mode=None)

NameOption = Annotated[str, typer.Option("--name", help="Printed name, as signatures show it.")]
AlgorithmOption = Annotated[
    str,
    typer.Option(
        "--algorithm", help="Of a key made here: ed25519, or ecdsa-p256, which cannot cosign checkpoints."
    ),
]


@app.command()
def init(
    organisation: Annotated[str, typer.Option(help="Who keeps this registry.")],
    root_id: Annotated[str, typer.Option(help="Id of the person who holds the root key.")],
    root_name: Annotated[str, typer.Option(help="Their printed name.")],
    node: Annotated[str, typer.Option(help="Id of this registry's own node; names its log.")] = "registry",
    algorithm: AlgorithmOption = "ed25519",
    json: JsonFlag = False,
) -> None:
    """Set up a sponsor's registry: its node key, its log and the first trust root."""
    from registry.registry import Founder, Registry
    from registry.trust_root import Role

    home = Home.from_environment()
    home.ensure()
    with session.new_key(home, root_id, algorithm) as signer:
        registry = Registry.create(
            home.path,
            organisation=organisation,
            node_id=node,
            root_signers=[Founder(root_id, root_name, (Role.ROOT,), signer)],
            clock=now,
            random=random_bytes,
        )
    show(
        {"home": str(home.path), "organisation": organisation, "trust_root": registry.root_digest},
        [f"registry of {organisation} in {home.path}", f"trust root 1  {registry.root_digest}"],
        as_json=json,
        next_command=f"assay trust enrol --id ID --name NAME --role ROLE --by {root_id}",
    )


@app.command()
def join(
    site: Annotated[str, typer.Option(help="Id under which the sponsor will enrol this site.")],
    out: Annotated[Path, typer.Option(help="Where to write the public key for the sponsor.")],
    json: JsonFlag = False,
) -> None:
    """Set up a site: its node key and an empty log. Send the public key file to the sponsor."""
    from registry.canonical import canonical_json
    from registry.registry import Registry

    check_target(out, "--out")
    home = Home.from_environment()
    home.ensure()
    registry = Registry.create_site(home.path, site_id=site, clock=now, random=random_bytes)
    write_target(out, canonical_json(registry.node.public.model_dump(mode="json")) + b"\n")
    show(
        {"home": str(home.path), "site": site, "public_key": str(out), "keyid": registry.node.public.keyid},
        [f"site {site} in {home.path}", f"public key {registry.node.public.keyid[:16]}… written to {out}"],
        as_json=json,
        next_command=f"the sponsor: assay trust enrol --id {site} --name NAME --role site --public-key {out}",
    )


@app.command()
def enrol(
    person_id: Annotated[
        str, typer.Option("--id", help="Id of the person or site; never given to anybody else.")
    ],
    name: NameOption,
    role: Annotated[
        list[str], typer.Option("--role", help="developer, qa, sponsor or site; may be repeated.")
    ],
    by: Annotated[str, typer.Option("--by", metavar="PERSON", help="Who holds the root key.")],
    public_key: Annotated[
        Path | None,
        typer.Option("--public-key", help="Their public key file; without it a key is made here."),
    ] = None,
    algorithm: AlgorithmOption = "ed25519",
    reason: session.ReasonOption = "enrolment",
    json: JsonFlag = False,
) -> None:
    """Enrol a person or a site: the next version of the trust root, signed by the root key."""
    from host.enrolment import new_person, read_public_key

    home, registry = session.open_registry()
    root_signer = session.unlock(home, by)
    if public_key is not None:
        person = new_person(person_id, name, role, read_public_key(public_key))
        registry.enrol([person], [root_signer], reason=reason)
    else:
        with session.new_key(home, person_id, algorithm) as signer:
            person = new_person(person_id, name, role, signer.public)
            registry.enrol([person], [root_signer], reason=reason)
    show(
        {"id": person_id, "name": name, "roles": person.roles, "trust_root": registry.root_digest},
        [
            f"enrolled {person_id} ({name}) as {', '.join(person.roles)}",
            f"trust root {registry.root.version}  {registry.root_digest}",
        ],
        as_json=json,
        next_command="assay trust show",
    )


@app.command()
def migrate(json: JsonFlag = False) -> None:
    """Bring this home's database forward to the schema that this host works on; a copy of it is made first."""
    from registry import home as registry_home
    from registry.migrations import migrate as bring_forward

    home = Home.from_environment()
    home.require_registry()
    database = registry_home.database_of(home.path)
    moment = now().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    done = bring_forward(database, home.path / f"registry-before-{moment}.{database.store.copy_suffix}")
    if done.copy is None:
        lines = [f"schema version {done.after} is what this host works on: nothing was changed"]
    else:
        lines = [
            f"schema version {done.before} -> {done.after}, in one transaction",
            f"copy of the database as it was: {done.copy}",
        ]
    show(
        {"before": done.before, "after": done.after, "copy": None if done.copy is None else str(done.copy)},
        lines,
        as_json=json,
        next_command="assay audit verify",
    )


@app.command("show")
def show_root(json: JsonFlag = False) -> None:
    """Show the trust root in force: people, roles, keys and the digest that sites pin; and the earlier ones."""
    _, registry = session.open_registry()
    root, earlier = registry.root, registry.roots.versions[:-1]
    rows = [
        (person.id, person.name, ", ".join(person.roles), ", ".join(key.keyid[:16] for key in person.keys))
        for person in root.people
    ]
    show(
        {
            "trust_root": registry.root_digest,
            "root": root,
            "earlier": {one.root.version: one.digest for one in earlier},
        },
        [
            f"{root.organisation}: trust root {root.version}  {registry.root_digest}",
            *table(("id", "name", "roles", "keys"), rows),
            *[f"earlier: trust root {one.root.version}  {one.digest}" for one in reversed(earlier)],
        ],
        as_json=json,
    )
