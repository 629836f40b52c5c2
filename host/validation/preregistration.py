"""Whether a kit's protocol was logged, and cosigned by somebody else, before anything runs."""

from host.errors import KitDigestError
from host.kits.kit import KitFolder
from registry.errors import NotPreregisteredError, UnknownRecordError
from registry.log import Record
from registry.plans import check_in_force, plans_of, read_plan
from registry.registry import Registry


def find_protocol(registry: Registry, folder: KitFolder, *, executor: str) -> tuple[Record, str]:
    """The plan in force with this kit's digests, and a checkpoint over it that somebody else cosigned.

    It is the registered protocol, or the newest deviation from it.

    Raises
    ------
    KitDigestError
        The kit as it lies on disk is not the registered one.
    WrongStateError
        A deviation replaced the plan that lies on disk.
    NotPreregisteredError
        The kit as it lies on disk was never registered, or nobody but the executor cosigned.
    """
    plans = plans_of(registry, folder.kit.id, folder.kit.version)
    for record in reversed(plans):  # a deviation may lead back to an earlier text
        plan = read_plan(record.statement)
        if (plan.kit_digest, plan.protocol_digest) == (folder.kit_digest, folder.protocol_digest):
            check_in_force(record, plans)
            return record, _cosigned(registry, record, executor)
    if plans:
        raise KitDigestError(
            f"{folder.path} is not the {folder.kit.id} {folder.kit.version} that was registered: "
            f"its files were changed after {plans[-1].logged_at}",
            subject=folder.kit.id,
            hint="restore the registered files; or record an edit of protocol.toml: assay kit deviate; "
            "or raise the kit's version and register it",
        )
    raise not_registered(folder)


def not_registered(folder: KitFolder) -> NotPreregisteredError:
    """Make the error of a kit whose protocol nobody registered."""
    return NotPreregisteredError(
        f"the protocol of {folder.kit.id} {folder.kit.version} is not registered as it lies in {folder.path}",
        subject=folder.kit.id,
        hint=f"assay kit register {folder.path} --as PERSON, where PERSON is not who runs the validation",
    )


def _cosigned(registry: Registry, protocol: Record, executor: str) -> str:
    try:
        return registry.checkpoint_covering(protocol.digest, cosigned_by_other_than=executor)
    except UnknownRecordError as error:
        raise NotPreregisteredError(
            f"nobody but {executor} cosigned the log since the protocol was registered",
            subject=protocol.digest,
            hint="somebody other than who runs the validation registers the kit: assay kit register",
        ) from error
