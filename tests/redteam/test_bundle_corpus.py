"""Every forged bundle is refused by `assay verify`, at a site's import with a record, and by a verifier of others.

The independent verifier shares no code with ours; the honest bundle passes all three.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host.cli import main
from plugin_spec.errors import ExitCode, TrustError
from registry.bundle import import_trial, verify_bundle
from registry.keys import generate
from registry.statements import Refusal
from tests.redteam import independent_verifier
from tests.support.bundle_corpus import CORPUS, Forgery
from tests.support.registry_builders import World, build_world, seeded

VERIFIER = Path(independent_verifier.__file__)


@pytest.fixture(scope="module")
def locked_template(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(tmp_path_factory.mktemp("locked")).locked()


@pytest.fixture
def locked(locked_template: World, tmp_path: Path) -> World:
    """A trial lock in force that no site has imported yet."""
    return locked_template.copied(tmp_path)


def independently(path: Path, pin: str) -> "subprocess.CompletedProcess[str]":
    """The verifier as its user runs it: isolated, from a folder of its own, so that it cannot import ours."""
    command = [sys.executable, "-I", str(VERIFIER), str(path), "--pin", pin]
    return subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)


def refusals(world: World) -> list[tuple[str, str]]:
    found = [one.statement.read(Refusal) for one in world.site.records(Refusal.predicate_type)]
    return [(one.attempted, one.error) for one in found]


def test_the_independent_verifier_imports_nothing_of_ours() -> None:
    tree = ast.parse(VERIFIER.read_text("utf-8"))
    names = {one.module for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    names |= {alias.name for one in ast.walk(tree) if isinstance(one, ast.Import) for alias in one.names}
    tops = {str(name).partition(".")[0] for name in names}
    assert tops - set(sys.stdlib_module_names) == {"securesystemslib"}


@pytest.mark.requirement("R24", "R23")
def test_the_honest_bundle_is_accepted_by_both_with_the_same_words(locked: World) -> None:
    locked.cosign()
    path = locked.exported()
    ours = verify_bundle(path, pin=locked.pin)
    done = independently(path, locked.pin)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "trial": ours.trial,
        "lock": ours.lock.digest,
        "records": len(ours.records),
        "checkpoint": {"origin": ours.checkpoint.origin, "size": ours.checkpoint.size},
        "cosigners": ["site-1"],
    }
    assert main(["verify", str(path), "--trust-root", locked.pin]) == ExitCode.OK
    import_trial(locked.site, path, pin=locked.pin)
    assert refusals(locked) == []


@pytest.mark.requirement("R24")
def test_an_amended_trial_is_accepted_by_both(locked: World) -> None:
    locked.lock()
    locked.sign("simone", "lock")
    locked.sign("quinn", "lock")
    path = locked.exported()
    assert independent_verifier.verify(path, locked.pin)["lock"] == locked.logged["lock"].digest
    assert verify_bundle(path, pin=locked.pin).lock.digest == locked.logged["lock"].digest


@pytest.mark.requirement("R24", "R13", "R5")
@pytest.mark.parametrize("forgery", CORPUS.values(), ids=list(CORPUS))
def test_a_forged_bundle_is_refused_by_both_and_leaves_a_refusal_at_the_site(
    locked: World, forgery: Forgery, capsys: pytest.CaptureFixture[str]
) -> None:
    path = forgery.make(locked)
    with pytest.raises(independent_verifier.Refused):
        independent_verifier.verify(path, locked.pin)
    assert main(["verify", str(path), "--trust-root", locked.pin]) == ExitCode.NOT_TRUSTED
    assert f"assay: {forgery.code}: " in capsys.readouterr().err
    before = locked.site.log.size
    with pytest.raises(TrustError) as caught:
        import_trial(locked.site, path, pin=locked.pin)
    assert caught.value.code == forgery.code
    assert refusals(locked) == [("trial-import", forgery.code)]
    assert (locked.site.log.size, locked.site.pin) == (before + 1, None)


@pytest.mark.requirement("R24")
def test_another_trust_root_is_refused_by_both(locked: World) -> None:
    path = locked.exported()
    done = independently(path, "sha256:" + "0" * 64)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the pinned trust root is not in the chain" in done.stderr
    assert main(["verify", str(path), "--trust-root", "sha256:" + "0" * 64]) == ExitCode.NOT_TRUSTED


@pytest.mark.requirement("R24")
def test_a_person_whose_key_is_for_p_256_signs_for_both(locked: World) -> None:
    key = generate(seeded("quinn, with a token"), "ecdsa-p256")
    moved = locked.sponsor.root.person("quinn").model_copy(update={"keys": (key.public,)})
    locked.sponsor.enrol([moved], [locked.keys["rosa"]], reason="a token came")
    locked.keys = {**locked.keys, "quinn": key}
    locked.lock()
    locked.sign("simone", "lock")
    locked.sign("quinn", "lock")
    path = locked.exported()
    assert independent_verifier.verify(path, locked.pin)["lock"] == locked.logged["lock"].digest
    assert verify_bundle(path, pin=locked.pin).lock.digest == locked.logged["lock"].digest


@pytest.mark.requirement("R23")
def test_a_bundle_is_verified_and_a_forged_one_refused_with_the_network_denied(locked: World) -> None:
    """In a network namespace of its own, which holds no interface but a loopback that is down."""
    alone = ["unshare", *(["--net"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--net"])]
    program = "import sys; from host.cli import main; sys.exit(main())"
    path, forged = locked.exported(), CORPUS["unlisted file"].make(locked)

    def ended(bundle: Path) -> int:
        command = [*alone, sys.executable, "-c", program, "verify", str(bundle), "--trust-root", locked.pin]
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert (ended(path), ended(forged)) == (ExitCode.OK, ExitCode.NOT_TRUSTED)
