"""What somebody typed becomes a meaning, a scope or a record, or one line that says why not."""

import pytest

from host.errors import OptionError
from host.signing import read_meaning, read_scope, typed
from registry.statements import FileRef


@pytest.mark.parametrize("meaning", ["authorship", "review", "approval", "responsibility"])
def test_the_meanings_of_21_cfr_11_50_are_known(meaning: str) -> None:
    assert read_meaning(meaning) == meaning


@pytest.mark.parametrize("scope", ["demonstration", "exploratory", "endpoint"])
def test_the_scopes_are_known(scope: str) -> None:
    assert read_scope(scope) == scope


def test_another_meaning_or_scope_is_refused_with_the_known_ones() -> None:
    with pytest.raises(OptionError, match="'ok' is no signature meaning") as refused:
        read_meaning("ok")
    assert "authorship, review, approval, responsibility" in refused.value.hint
    with pytest.raises(OptionError, match="'Endpoint' is no scope") as refused:
        read_scope("Endpoint")
    assert "demonstration, exploratory, endpoint" in refused.value.hint


def test_a_record_with_a_wrong_field_is_refused_in_one_line_that_names_it() -> None:
    with pytest.raises(OptionError, match=r"^bytes: ") as refused:
        typed(FileRef, name="x", digest="sha256:" + "0" * 64, bytes=-1)
    assert "\n" not in refused.value.message
    assert typed(FileRef, name="x", digest="sha256:" + "0" * 64, bytes=1).bytes == 1
