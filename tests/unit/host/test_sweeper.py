"""Folders of finished runs are removed beside the work, all of them by the end."""

import threading
from pathlib import Path

from host.staging import RunFolder
from host.sweeper import sweeping


class Unremovable(RunFolder):
    """A folder whose removal fails in a way that nobody foresaw."""

    def remove(self) -> None:
        raise MemoryError


def test_every_folder_is_gone_at_the_end_and_so_is_the_thread(tmp_path: Path) -> None:
    folders = [RunFolder.create(tmp_path / str(number)) for number in range(30)]
    for folder in folders:
        (folder.outputs / "file").touch()
    with sweeping() as sweeper:
        for folder in folders:
            sweeper.remove(folder)
    assert list(tmp_path.iterdir()) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "sweeper"]


def test_a_folder_that_is_gone_already_stops_nobody(tmp_path: Path) -> None:
    gone, there = RunFolder.create(tmp_path / "gone"), RunFolder.create(tmp_path / "there")
    gone.remove()
    with sweeping() as sweeper:
        sweeper.remove(gone)
        sweeper.remove(there)
    assert list(tmp_path.iterdir()) == []


def test_a_fault_of_the_sweeper_is_raised_and_nobody_waits_for_it_for_ever(tmp_path: Path) -> None:
    told: list[BaseException] = []

    def work() -> None:
        try:
            with sweeping() as sweeper:
                for number in range(20):
                    sweeper.remove(Unremovable(tmp_path / str(number)))
                sweeper.remove(RunFolder.create(tmp_path / "last"))
        except MemoryError as error:
            told.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(timeout=20)
    assert not worker.is_alive()
    assert len(told) == 1
    assert list(tmp_path.iterdir()) == []
