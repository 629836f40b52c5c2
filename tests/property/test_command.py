"""Command lines: the words are the template, with the files in their places."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugin_spec.test_command import VALUES, words


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]), st.lists(st.text(min_size=1), max_size=3).map(tuple), min_size=1
    ),
    st.lists(st.sampled_from(["{inputs.a}", "{inputs.b}", "{inputs.c}", "x", "{seed}"]), max_size=6),
)
def test_the_words_are_the_template_with_the_files_in_their_places(
    inputs: dict[str, tuple[str, ...]], template: list[str]
) -> None:
    values = VALUES.model_copy(update={"inputs": inputs})
    expected = []
    for word in template:
        files = inputs.get(word[8:9], ()) if word.startswith("{inputs") else None
        expected += list(files) if files is not None else ["7" if word == "{seed}" else word]
    assert words("tool", *template, values=values) == ("tool", *expected)
