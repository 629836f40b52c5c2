"""The container's side of ``assay.serve/1``, in this process: the host's own channel at the other end."""

import os
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.warm.channel import SOCKET_NAME, Channel, Silence
from plugin_spec.case import Request, parse_result, request_bytes
from plugin_spec.errors import ContractError
from plugin_spec.runtime import __main__ as runtime
from plugin_spec.runtime import protocol, serve
from plugin_spec.runtime.protocol import Folders
from plugin_spec.serving import CaseOrder, Done, Ready, SetupFailed, SetupOrder, parse_message

ORDER = "0123456789abcdef" * 2
HEADER = "from plugin_spec import CaseResult, Context, Refuse, hookimpl\nimport os\n"
COUNTING = """
@hookimpl
def setup(context): return {"seed": context.seed, "cases": 0}
@hookimpl
def run_case(case, state):
    state["cases"] += 1
    (case.scratch_folder / "left").mkdir()
    if case.id == "refused": raise Refuse("told-to", "")
    return CaseResult(outputs={"numbers": [{"cases": state["cases"], "seed": state["seed"]}]})
@hookimpl
def describe_environment(): return {"measured": "once"}
"""


class Served:
    """A serving runtime on a thread, and the host's channel to it."""

    def __init__(self, root: Path) -> None:
        self.folders = Folders(root)
        self.code = root / "code"
        self.control = root / "control"
        for folder in (*vars(self.folders).values(), self.code, self.control):
            folder.mkdir(parents=True)
        self.channel = Channel(self.control, lambda: False)
        self.ended: list[int] = []
        self.thread: threading.Thread | None = None
        self.processes = [frozenset({1}), frozenset({1})]

    def start(self, name: str, source: str) -> Ready | SetupFailed | Done | Silence:
        """Start serving an adapter module of this source; names differ, because modules stay imported."""
        (self.code / f"{name}.py").write_text(HEADER + textwrap.dedent(source))

        def run() -> None:
            seen = iter(self.processes)
            self.ended.append(
                serve.serve(
                    name, self.folders, self.control / SOCKET_NAME, lambda: next(seen, frozenset({1}))
                )
            )

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        assert self.channel.accept(time.monotonic() + 10) == os.getpid()
        self.channel.send(SetupOrder(seed=7, threads=1, gpu=(), weights={}))
        return self.channel.receive(time.monotonic() + 10)

    def case(self, case_id: str = "one") -> Ready | SetupFailed | Done | Silence:
        """Order one case."""
        request = Request(case_id=case_id, seed=7, threads=1, inputs={}, parameters={}, weights={})
        (self.folders.inputs / "request.json").write_bytes(request_bytes(request))
        for path in self.folders.outputs.iterdir():
            path.unlink()
        self.channel.send(CaseOrder(order=ORDER))
        return self.channel.receive(time.monotonic() + 10)

    def stop(self) -> int:
        """Hang up; what the container would have exited with."""
        self.channel.dispose()
        self.thread.join(10)
        return self.ended[0]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.chdir(tmp_path)
    one = Served(tmp_path)
    monkeypatch.syspath_prepend(str(one.code))
    # The end of a case's log goes to the descriptors of the process, which are pytest's here.
    monkeypatch.setattr(serve, "_LOG_DESCRIPTORS", ())
    try:
        yield one
    finally:
        one.channel.dispose()
        if one.thread is not None:
            one.thread.join(10)


def test_setup_once_and_then_case_after_case(served: Served) -> None:
    assert isinstance(served.start("serve_counting", COUNTING), Ready)
    for number, case_id in enumerate(("one", "refused", "three"), start=1):
        done = served.case(case_id)
        assert isinstance(done, Done)
        refused = case_id == "refused"
        assert (done.order, done.left) == (ORDER, 0)
        assert done.exit_code == (protocol.EXIT_REFUSED if refused else protocol.EXIT_OK)
        result = parse_result((served.folders.outputs / "result.json").read_bytes())
        if not refused:
            assert f'"cases": {number}, "seed": 7' in (served.folders.outputs / "numbers.json").read_text()
            assert result.environment == {"measured": "once"}
        assert list(served.folders.scratch.iterdir()) == []
    assert served.stop() == protocol.EXIT_OK


def test_a_set_up_that_raises_is_told_with_the_authors_own_words(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "@hookimpl\ndef setup(context): raise OSError('no model')\n" + textwrap.dedent(COUNTING).replace(
        'def setup(context): return {"seed": context.seed, "cases": 0}', "def _unused(): ..."
    ).replace("@hookimpl\ndef _unused", "def _unused")
    answer = served.start("serve_fails", source)
    assert isinstance(answer, SetupFailed)
    assert answer.message == "OSError: no model"
    assert "Traceback" in capsys.readouterr().err
    assert served.stop() == protocol.EXIT_PLUGIN_ERROR


def test_processes_that_a_case_left_are_counted(served: Served) -> None:
    served.processes = [frozenset({1, 7}), frozenset({1, 7, 8, 9})]
    served.start("serve_leaving", COUNTING)
    done = served.case()
    assert isinstance(done, Done) and done.left == 2


def test_this_process_is_among_those_that_run() -> None:
    assert os.getpid() in serve.running_processes()


def test_the_runtime_serves_where_the_host_has_said_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called: list[tuple[str, Path]] = []

    def serving(adapter: str, folders: Folders, control: Path) -> int:
        called.append((adapter, control))
        return 0

    monkeypatch.setattr(serve, "serve", serving)
    monkeypatch.setenv(protocol.SERVE_VARIABLE, "/assay/control/host.sock")
    assert runtime.main(["adapter"]) == 0
    assert called == [("adapter", Path("/assay/control/host.sock"))]


def test_links_in_scratch_are_removed_and_not_followed(tmp_path: Path) -> None:
    scratch, elsewhere = tmp_path / "scratch", tmp_path / "elsewhere"
    (scratch / "deep" / "closed").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (scratch / "link").symlink_to(elsewhere)
    (scratch / "deep" / "link").symlink_to(elsewhere)
    (scratch / "deep" / "closed").chmod(0)
    serve.clear(scratch)
    assert list(scratch.iterdir()) == []
    assert (elsewhere / "kept").exists()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"contract": "assay.serve/2", "type": "ready"}', "contract"),
        (b'{"contract": "assay.serve/1", "type": "later"}', "type"),
        (b'{"contract": "assay.serve/1", "type": "ready", "more": 1}', "unknown field"),
        (b'{"contract": "assay.serve/1", "type": "failed", "message": "' + b"x" * 3000 + b'"}', "message"),
        (b"\xff", "Invalid JSON"),
    ],
)
def test_a_message_that_does_not_fit_is_refused_with_its_field(line: bytes, fault: str) -> None:
    with pytest.raises(ContractError, match=fault):
        parse_message(line)
