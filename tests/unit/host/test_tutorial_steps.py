"""The reader of the tutorial finds every command and misses nothing that an answer lacks."""

from tests.support.tutorial import Step, missing, steps

GUIDE = """
<!-- tutorial -->
```console
$ first "a b"
one
two…four
$ second
```
Words.
```console
$ not in the tutorial
```
<!-- tutorial -->
```console
$ third
```
"""


def test_only_marked_blocks_are_read() -> None:
    assert steps(GUIDE) == [
        Step('first "a b"', ("one", "two…four")),
        Step("second", ()),
        Step("third", ()),
    ]


def test_a_line_that_an_answer_lacks_is_told() -> None:
    step = steps(GUIDE)[0]
    assert missing(step, "noise\none\ntwo three four\n") == []
    assert missing(step, "one more\ntwo three four\n") == ["one", "two…four"]
    assert missing(step, "one\n") == ["two…four"]
    assert missing(step, "two four\none\n") == ["two…four"], "the order counts"
