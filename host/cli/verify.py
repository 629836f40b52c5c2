"""``assay verify``: check a bundle offline, without a home."""

from pathlib import Path
from typing import Annotated

import typer

from host.cli.answer import JsonFlag, show


def verify(
    bundle: Annotated[Path, typer.Argument(help="A trial's bundle.")],
    trust_root: Annotated[
        str, typer.Option(help="Digest of the trust root, learnt by another way than the bundle.")
    ],
    json: JsonFlag = False,
) -> None:
    """Verify a bundle offline: every signature, role, proof and digest, from the pinned trust root on."""
    from registry.bundle import verify_bundle
    from registry.esignature import describe

    found = verify_bundle(bundle, pin=trust_root)
    lock = found.lock
    show(
        {
            "trial": found.trial,
            "lock": lock.digest,
            "records": len(found.records),
            "checkpoint": {"origin": found.checkpoint.origin, "size": found.checkpoint.size},
            "cosigners": found.cosigners,
        },
        [
            f"verified: trial {found.trial}, {len(found.records)} records of {found.checkpoint.origin}",
            f"lock {lock.lock.sequence}  {lock.digest}",
            *[f"  signed: {describe(one)}" for one in lock.signatures],
            f"checkpoint of size {found.checkpoint.size}, cosigned by {', '.join(found.cosigners) or 'nobody'}",
        ],
        as_json=json,
    )
