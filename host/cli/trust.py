"""``assay trust``: who may sign what."""

from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from host.cli import ceremony, session
from host.cli.answer import JsonFlag, show, table
from host.cli.targets import check_target, write_target
from host.home import Home, now, random_bytes

app = typer.Typer(help="The trust root: people, roles and keys.", no_args_is_help=True, rich_markup_mode=None)
for verb in (
    ceremony.key,
    ceremony.enrol,
    ceremony.rotate,
    ceremony.revoke,
    ceremony.amend,
    ceremony.proposal,
    ceremony.sign,
    ceremony.adopt,
    ceremony.passphrase,
):
    app.command()(verb)


DatabaseOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Keep the log on PostgreSQL: postgresql://ROLE@HOST/DATABASE, empty and without a pass word "
        "(PGPASSWORD or .pgpass has it). Default: a SQLite file in the home.",
    ),
]
AdminOption = Annotated[
    str | None,
    typer.Option(
        "--database-admin",
        metavar="URL",
        help="On PostgreSQL, who acts as the database's owner for this command only.",
    ),
]


@app.command()
def init(
    organisation: Annotated[str, typer.Option(help="Who keeps this registry.")],
    root_id: Annotated[str, typer.Option(help="Id of the person who holds the root key.")],
    root_name: Annotated[str, typer.Option(help="Their printed name.")],
    node: Annotated[str, typer.Option(help="Id of this registry's own node; names its log.")] = "registry",
    algorithm: ceremony.AlgorithmOption = "ed25519",
    database: DatabaseOption = None,
    database_admin: AdminOption = None,
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
            database=database,
            database_admin=database_admin,
        )
    show(
        {
            "home": str(home.path),
            "organisation": organisation,
            "trust_root": registry.root_digest,
            "database": registry.log.database.store.name,
        },
        [
            f"registry of {organisation} in {home.path}",
            f"its log is in {registry.log.database.store.name}",
            f"trust root 1  {registry.root_digest}",
        ],
        as_json=json,
        next_command=f"assay trust enrol --id ID --name NAME --role ROLE --by {root_id}",
    )


@app.command()
def join(
    site: Annotated[str, typer.Option(help="Id under which the sponsor will enrol this site.")],
    out: Annotated[Path, typer.Option(help="Where to write the public key for the sponsor.")],
    database: DatabaseOption = None,
    database_admin: AdminOption = None,
    json: JsonFlag = False,
) -> None:
    """Set up a site: its node key and an empty log. Send the public key file to the sponsor."""
    from registry.canonical import canonical_json
    from registry.registry import Registry

    check_target(out, "--out")
    home = Home.from_environment()
    home.ensure()
    registry = Registry.create_site(
        home.path,
        site_id=site,
        clock=now,
        random=random_bytes,
        database=database,
        database_admin=database_admin,
    )
    write_target(out, canonical_json(registry.node.public.model_dump(mode="json")) + b"\n")
    show(
        {"home": str(home.path), "site": site, "public_key": str(out), "keyid": registry.node.public.keyid},
        [f"site {site} in {home.path}", f"public key {registry.node.public.keyid[:16]}… written to {out}"],
        as_json=json,
        next_command=f"the sponsor: assay trust enrol --id {site} --name NAME --role site --public-key {out}",
    )


@app.command()
def migrate(database_admin: AdminOption = None, json: JsonFlag = False) -> None:
    """Bring this home's database forward to the schema that this host works on; a copy of it is made first."""
    from registry import home as registry_home
    from registry.migrations import migrate as bring_forward

    home = Home.from_environment()
    home.require_registry()
    database = registry_home.database_of(home.path, database_admin)
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
    thresholds = ", ".join(f"{role} {count}" for role, count in sorted(root.thresholds.items()))
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
            f"thresholds: {thresholds}",
            *table(("id", "name", "roles", "keys"), rows),
            *[
                f"withdrawn: key {one.keyid[:16]} of {one.person}, {one.at}: {one.reason}"
                for one in root.withdrawn
            ],
            *[f"earlier: trust root {one.root.version}  {one.digest}" for one in reversed(earlier)],
        ],
        as_json=json,
    )
