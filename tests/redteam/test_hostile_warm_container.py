"""A warm container that lies, floods, forges and lingers: each case is judged by what the host itself took out."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.execution import Execution
from registry.canonical import digest
from tests.support.warm_bench import WarmBench
from tests.support.warm_process import HONEST, ready, talking

# Answers a case with a mask and a volume, as the tiny plugin would of an edge of 3.
ANSWER = """
import struct
def answer(word=None, **more):
    data = (folders.inputs / 'scan.nii').read_bytes()
    header = bytearray(data[:352]); struct.pack_into('<2h', header, 70, 2, 8)
    voxels = struct.unpack_from(f'<{(len(data) - 352) // 2}h', data, 352)
    mask = open(folders.outputs / 'mask.nii', 'wb', buffering=0)
    mask.write(bytes(header) + bytes(value >= 100 for value in voxels))
    rows = {'contract': 'assay.measurements/1', 'rows': [{'bright_ml': 27.0}]}
    (folders.outputs / 'volumes.json').write_text(json.dumps(rows))
    outputs = [{'port': 'mask', 'path': 'mask.nii'}, {'port': 'volumes', 'path': 'volumes.json'}]
    result(outcome='ok', outputs=outputs)
    return mask
"""


@pytest.fixture
def warm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WarmBench]:
    monkeypatch.setattr("host.warm.session._END_GRACE_S", 1.0)
    bench = WarmBench(tmp_path)
    try:
        yield bench
    finally:
        bench.close()


def ended(execution: Execution) -> tuple[str, str]:
    return execution.outcome, execution.reason_code


def then_honest(warm: WarmBench) -> Execution:
    """The case after: it must be answered by a container of its own."""
    warm.serve(HONEST)
    before = warm.started
    after = warm.run()
    assert ended(after) == ("ok", "")
    assert warm.started == before + 1
    return after


@pytest.mark.attack("hostile warm container: answer of another case")
@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("order = take(); refuse(); done(order, times=2)", "more than it was asked for"),
        ("take(); refuse(); done({'order': '0' * 32})", "another case"),
        ("take(); refuse(); say(type='ready')", "another case"),
        ("take(); link.sendall(b'x' * 70000); time.sleep(60)", "a message of more than 65536 bytes"),
        ("take(); link.sendall(b'x' * 200000 + b'\\n'); time.sleep(60)", ""),
        ("take(); link.sendall(b'not json\\n'); time.sleep(60)", "Invalid JSON"),
        ("take(); link.sendall(b'[]\\n'); time.sleep(60)", "assay.serve/1"),
        ("take(); say(type='done', order='x', exit_code=0, left=0); time.sleep(60)", "order"),
        ("order = take(); say(type='done', order=order['order'], exit_code=-1, left=0)", "exit_code"),
        (
            "order = take(); say(type='done', order=order['order'], exit_code=0, left=0, more=1)",
            "unknown field",
        ),
        ("order = take(); say(type='done', order=order['order'], exit_code=True, left=0)", "exit_code"),
        ("take(); link.close(); lines.close(); time.sleep(60)", "hung up during the case"),
    ],
)
def test_what_is_no_answer_to_this_case_fails_this_case_alone(
    program: str, message: str, warm: WarmBench
) -> None:
    warm.serve(ready(program + "\ntime.sleep(60)"))
    failed = warm.run()
    assert ended(failed) == ("failed", "contract-violation")
    assert message in failed.message
    then_honest(warm)


def test_another_version_of_the_messages_is_refused(warm: WarmBench) -> None:
    warm.serve(
        talking('take(); link.sendall(b\'{"contract": "assay.serve/2", "type": "ready"}\\n\'); take()')
    )
    assert ended(warm.run()) == ("failed", "contract-violation")


def test_an_answer_from_before_the_question_is_no_answer(warm: WarmBench) -> None:
    early = "import secrets\nsay(type='done', order=secrets.token_hex(16), exit_code=10, left=0)\n"
    warm.serve(ready(early + "take(); refuse(); time.sleep(60)"))
    assert ended(warm.run()) == ("failed", "contract-violation")


def test_a_second_answer_after_the_case_costs_the_container_and_no_case(warm: WarmBench) -> None:
    warm.serve(ready("order = take(); refuse(); done(order); time.sleep(0.2); done(order); time.sleep(60)"))
    assert ended(warm.run()) == ("refused", "told-to")
    time.sleep(0.5)
    assert "spoke without being asked" in then_honest(warm).warnings[-1]


def test_a_file_that_is_written_to_after_the_answer_does_not_change_what_was_taken(warm: WarmBench) -> None:
    warm.serve(
        ready(
            ANSWER + "order = take(); mask = answer(); done(order, exit_code=0)\n"
            "while True: mask.seek(360); mask.write(b'\\x01' * 8); time.sleep(0.001)\n"
        )
    )
    answered = warm.run()
    time.sleep(0.2)
    if answered.outcome == "ok":
        for output in answered.outputs:
            assert digest(output.path.read_bytes()) == output.digest
    taken = warm.folders[-1].outputs / "mask.nii"
    before = taken.read_bytes()
    time.sleep(0.2)
    assert taken.read_bytes() == before
    assert taken.stat().st_nlink == 1


def test_a_lingering_process_that_lies_about_itself_spoils_cases_and_never_the_hosts_view(
    warm: WarmBench,
) -> None:
    warm.serve(
        ready(
            ANSWER + "if os.fork() == 0:\n"
            "    time.sleep(0.3)\n"
            "    while True: (folders.outputs / 'extra').write_text('x'); time.sleep(0.001)\n"
            "while True:\n"
            "    order = take(); time.sleep(0.5); answer(); done(order, exit_code=0)\n"
        )
    )
    assert ended(warm.run()) == ("failed", "output-undeclared")
    assert ended(warm.run()) == ("failed", "output-undeclared")
    warm.close()
    assert sorted(one.name for one in warm.runs.iterdir()) == [one.path.name for one in warm.folders]


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("os.unlink(out / 'mask.nii'); os.symlink('/etc/hostname', out / 'mask.nii')", "output-not-a-file"),
        ("os.unlink(out / 'mask.nii'); os.mkfifo(out / 'mask.nii')", "output-not-a-file"),
        ("os.link(out / 'mask.nii', out / 'second')", "output-undeclared"),
        ("os.chmod(out / 'mask.nii', 0o4755)", "output-not-a-file"),
        (
            "os.unlink(out / 'result.json'); os.symlink('/etc/hostname', out / 'result.json')",
            "output-not-a-file",
        ),
        ("os.unlink(out / 'result.json'); os.mkfifo(out / 'result.json')", "output-not-a-file"),
        ("os.unlink(out / 'result.json')", "output-missing"),
        ("os.symlink('/', out / 'way-out')", "output-undeclared"),
        ("[(out / str(n)).write_text('') for n in range(1100)]", "output-limit"),
        ("result(outcome='ok', outputs=[{'port': 'mask', 'path': '../in/scan.nii'}])", "contract-violation"),
        ("result(outcome='refused', reason_code='x')", "contract-violation"),
    ],
)
def test_forbidden_things_in_the_output_folder_are_refused_as_after_a_fresh_container(
    deed: str, reason: str, warm: WarmBench
) -> None:
    warm.serve(
        ready(
            ANSWER + f"order = take(); answer(); out = folders.outputs\n{deed}\n"
            "done(order, exit_code=0); take(); refuse(); time.sleep(60)\n"
        )
    )
    assert ended(warm.run()) == ("failed", reason)


def test_nothing_of_a_case_is_in_the_folder_when_the_next_one_comes(warm: WarmBench) -> None:
    warm.serve(
        ready(
            ANSWER
            + "order = take(); answer(); (folders.outputs / 'deep').mkdir(); (folders.outputs / 'deep/x').touch()\n"
            "os.symlink('/', folders.outputs / 'root'); done(order, exit_code=0)\n"
            "order = take(); print(sorted(os.listdir(folders.outputs))); print(sorted(os.listdir(folders.inputs)))\n"
            "sys.stdout.flush(); refuse(); done(order)\n"
        )
    )
    assert ended(warm.run()) == ("failed", "output-undeclared")
    warm.run()
    assert warm.log() == "[]\n['request.json', 'scan.nii']\n"
    assert Path("/", "etc").is_dir()


def test_nobody_else_can_speak_for_the_container(warm: WarmBench) -> None:
    warm.serve(
        ready(
            "order = take()\n"
            "try: socket.socket(socket.AF_UNIX).connect('host.sock')\n"
            "except OSError as error: print(error.strerror, flush=True)\n"
            "refuse(); done(order); take()\n"
        )
    )
    assert ended(warm.run()) == ("refused", "told-to")
    assert warm.log() == "Connection refused\n"


def test_a_flood_while_nobody_listens_costs_the_host_nothing(warm: WarmBench) -> None:
    warm.serve(ready("order = take(); refuse(); done(order)\nwhile True: link.sendall(b'{}\\n' * 10000)\n"))
    assert ended(warm.run()) in {("refused", "told-to"), ("failed", "contract-violation")}
    # Whether the flood is met while the case ends or after it is a race; the container is replaced either way.
    assert then_honest(warm).warnings[-1] in {
        "the container before was replaced: it spoke without being asked after its last case",
        "the container before was replaced: it broke",
    }


def test_the_socket_is_reachable_through_the_private_folder_only(warm: WarmBench) -> None:
    warm.run()
    (folder,) = [one for one in warm.runs.iterdir() if one.name.startswith("warm-")]
    assert folder.stat().st_mode & 0o077 == 0
    assert os.listdir(folder / "control") == ["host.sock"]
