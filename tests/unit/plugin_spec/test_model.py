"""Reading documents: every way a file can be bad ends in one line that names it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from plugin_spec.errors import AssayError, ContractError, InputError
from plugin_spec.model import RelativePath, StrictModel, read_toml


class Point(StrictModel):
    """A document of the tests."""

    x: float
    label: RelativePath = "origin"


def fault_of(path: Path) -> AssayError:
    with pytest.raises(InputError) as caught:
        read_toml(path, Point)
    assert caught.value.subject == str(path)
    return caught.value


def write(folder: Path, text: str) -> Path:
    path = folder / "point.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_document_that_fits_is_read(tmp_path: Path) -> None:
    assert read_toml(write(tmp_path, "x = 1\nlabel = 'a/b.nii'"), Point) == Point(x=1.0, label="a/b.nii")


def test_a_model_cannot_be_changed_after_it_was_checked() -> None:
    point = Point(x=1.0)
    with pytest.raises(ValidationError, match="frozen"):
        point.x = 2.0  # type: ignore[misc]  # the test is that this fails


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "absent.toml"
    assert str(fault_of(path)) == f"{path}: No such file or directory"


def test_a_folder_is_not_a_document(tmp_path: Path) -> None:
    assert "Is a directory" in str(fault_of(tmp_path))


def test_broken_toml_is_named_with_its_line(tmp_path: Path) -> None:
    assert "not valid TOML" in str(fault_of(write(tmp_path, "x = = 1")))
    assert "line 1" in str(fault_of(write(tmp_path, "x = = 1")))


def test_bytes_that_are_not_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "point.toml"
    path.write_bytes(b"x = '\xff'")
    assert "not valid TOML" in str(fault_of(path))


def test_endless_nesting_is_a_fault_of_the_document(tmp_path: Path) -> None:
    assert "not valid TOML" in str(fault_of(write(tmp_path, "x = " + "[" * 100_000)))


def test_a_document_past_the_limit_is_not_read(tmp_path: Path) -> None:
    assert "larger than" in str(fault_of(write(tmp_path, "#" * (1024 * 1024 + 1))))


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_a_number_that_is_not_finite_is_refused(tmp_path: Path, number: str) -> None:
    assert ": x: " in str(fault_of(write(tmp_path, f"x = {number}")))


def test_text_is_not_converted_to_a_number(tmp_path: Path) -> None:
    assert "x: Input should be a valid number" in str(fault_of(write(tmp_path, "x = '1'")))


def test_the_caller_chooses_who_must_act(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="y: unknown field"):
        read_toml(write(tmp_path, "x = 1\ny = 2"), Point, error=ContractError)


@pytest.mark.parametrize("path", ["../up", "a/../b", "/abs", "-flag", "", "a\nb", "é"])
def test_a_path_that_could_leave_its_folder_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        Point(x=0.0, label=path)


def test_a_name_from_outside_cannot_break_a_message_into_lines_or_colour_it(tmp_path: Path) -> None:
    fault = fault_of(write(tmp_path, 'x = 1\n"a\\n\\u001b[31m' + "b" * 100 + '" = 2'))
    assert f"point.toml: a\\n\\x1b[31m{'b' * 53}…: unknown field" in fault.message
