"""What is given about a person: a fault is one line that names file and field."""

import json
from pathlib import Path

import pytest

from host.enrolment import new_person, read_public_key
from host.errors import EnrolmentError
from registry.trust_root import Role
from tests.support.trust import signer

KEY = signer("ada").public


def test_a_public_key_file_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "ada.pub"
    path.write_text(KEY.model_dump_json())
    assert read_public_key(path) == KEY


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"{}",
        json.dumps({**KEY.model_dump(mode="json"), "comment": "x"}).encode(),
    ],
)
def test_what_is_no_public_key_file_is_refused_with_its_path(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ada.pub"
    path.write_bytes(content)
    with pytest.raises(EnrolmentError, match="not a public key file") as refused:
        read_public_key(path)
    assert str(path) in refused.value.message


def test_only_the_first_bytes_of_a_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "ada.pub"
    path.write_text(KEY.model_dump_json() + " " * 5000 + "no json")
    assert read_public_key(path) == KEY


def test_a_missing_public_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnrolmentError, match="No such file"):
        read_public_key(tmp_path / "ada.pub")


def test_a_person_holds_the_roles_that_were_given() -> None:
    person = new_person("ada", "Ada Author", ["developer", "qa"], KEY)
    assert (person.roles, person.keys) == ((Role.DEVELOPER, Role.QA), (KEY,))


@pytest.mark.parametrize(
    ("person", "name", "roles", "field"),
    [
        ("Ada!", "Ada", ["qa"], "id"),
        ("ada", "", ["qa"], "name"),
        ("ada", "Ada", ["king"], "roles"),
        ("ada", "Ada", [], "roles"),
    ],
)
def test_a_wrong_field_of_a_person_is_named(person: str, name: str, roles: list[str], field: str) -> None:
    with pytest.raises(EnrolmentError, match=f"^{person}: {field}"):
        new_person(person, name, roles, KEY)
