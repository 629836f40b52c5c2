"""Whether a kit's protocol was logged, and cosigned by somebody else, before anything runs."""

from host.errors import KitDigestError
from host.kits.kit import KitFolder
from registry.errors import NotPreregisteredError, UnknownRecordError
from registry.log import Record
from registry.registry import Registry
from registry.statements import Protocol


def find_protocol(registry: Registry, folder: KitFolder, *, executor: str) -> tuple[Record, str]:
    """The registered protocol with this kit's digests, and a checkpoint over it that somebody else cosigned.

    Raises
    ------
    NotPreregisteredError
        The kit as it lies on disk was never registered, or nobody but the executor cosigned.
    """
    for record in registry.records(Protocol.predicate_type):
        protocol = record.statement.read(Protocol)
        same_files = (protocol.kit_digest, protocol.protocol_digest) == (
            folder.kit_digest,
            folder.protocol_digest,
        )
        if (protocol.kit, protocol.version) == (folder.kit.id, folder.kit.version) and not same_files:
            raise KitDigestError(
                f"{folder.path} is not the {folder.kit.id} {folder.kit.version} that was registered: "
                f"its files were changed after {record.logged_at}",
                subject=folder.kit.id,
                hint="restore the registered files, or raise the kit's version and register it",
            )
        if same_files:
            return record, _cosigned(registry, record, executor)
    raise NotPreregisteredError(
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
