"""A series of signings: one person, one login, a few minutes; and the file of it holds no secret."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from host import series

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FILE = "signing-series.json"


@pytest.mark.requirement("R15")
def test_a_series_goes_on_from_signing_to_signing_and_runs_out(tmp_path: Path) -> None:
    assert series.find(tmp_path, NOW) is None
    first = series.keep(tmp_path, "quinn", NOW, 15)
    later = NOW + timedelta(minutes=14)
    assert series.find(tmp_path, later) == first
    again = series.keep(tmp_path, "quinn", later, 15)
    assert again.begun == first.begun == NOW.isoformat()
    assert series.find(tmp_path, later + timedelta(minutes=14)) == again
    assert series.find(tmp_path, later + timedelta(minutes=15)) is None


@pytest.mark.requirement("R15")
def test_another_person_another_login_or_an_earlier_clock_is_another_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series.keep(tmp_path, "quinn", NOW, 15)
    assert series.find(tmp_path, NOW - timedelta(seconds=1)) is None
    later = NOW + timedelta(minutes=1)
    assert series.keep(tmp_path, "dora", later, 15).begun == later.isoformat()
    assert series.find(tmp_path, later) is not None
    monkeypatch.setattr(series, "login", lambda: "another terminal")
    assert series.find(tmp_path, later) is None


def test_the_file_is_its_owners_alone_and_holds_five_fields(tmp_path: Path) -> None:
    series.keep(tmp_path, "quinn", NOW, 15)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    held = json.loads((tmp_path / FILE).read_text())
    assert set(held) == {"contract", "person", "login", "begun", "until"}


@pytest.mark.parametrize("data", [b"", b"{}", b"x" * 100_000, b'{"person":"quinn"}'])
def test_a_file_that_is_no_series_opens_none(data: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(data)
    assert series.find(tmp_path, NOW) is None


def test_a_broken_series_is_gone(tmp_path: Path) -> None:
    series.keep(tmp_path, "quinn", NOW, 15)
    series.end(tmp_path)
    series.end(tmp_path)
    assert series.find(tmp_path, NOW) is None
