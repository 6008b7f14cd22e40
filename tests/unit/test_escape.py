"""Whatever a value holds, it is carried literally into its target, or refused."""

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdaimg.images.escape import bake_value, compose_value, json_form, quoted, shell_word

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NASTY = ['"', "\\", "$(id)", "${X}", "`id`", "#", "'", "%{if}", "$${X}", "a b", "\t", "é", "\u2028", "\\$X", "\\"]


@given(st.lists(TEXT))
def test_the_exec_form_is_one_line_of_json(words: list[str]) -> None:
    text = json_form(words)
    assert json.loads(text) == words
    assert len(text.splitlines()) == 1
    assert text.isascii()


def undo_quotes(text: str) -> str:
    """Reads a double-quoted word as BuildKit's shell lexer does: a backslash takes the next character literally."""
    assert text[0] == text[-1] == '"'
    result, inner = "", iter(text[1:-1])
    for character in inner:
        assert character not in '"$', "it would end the word, or be expanded"
        result += next(inner) if character == "\\" else character
    return result


@given(TEXT)
def test_quoted_values_are_carried_or_refused(value: str) -> None:
    if any(character in value for character in "\n\r"):
        with pytest.raises(ValueError, match="line break"):
            quoted(value)
    else:
        assert undo_quotes(quoted(value)) == value


@given(TEXT)
def test_shell_words_are_one_word(value: str) -> None:
    if any(character in value for character in "\n\r"):
        with pytest.raises(ValueError, match="line break"):
            shell_word(value)
    else:
        assert shlex.split(shell_word(value)) == [value]


@given(TEXT)
def test_compose_values_hold_only_doubled_dollars(value: str) -> None:
    escaped = compose_value(value)
    assert "$" not in escaped.replace("$$", "")
    assert escaped.replace("$$", "$") == value


@pytest.mark.parametrize("value", NASTY)
def test_bake_values_open_no_template(value: str) -> None:
    escaped = bake_value(value)
    assert "${" not in escaped.replace("$${", "")
    assert "%{" not in escaped.replace("%%{", "")
