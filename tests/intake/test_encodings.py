"""The encoding of a text is found by its bytes, or asked for."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.errors import ArgumentError, DataQualityWarning, TableError
from smartrisk.intake import describe_file, read_table
from smartrisk.intake._encoding import decode_text
from smartrisk.schema import FileFormat

WORDS = (
    "Genève",
    "Côte d'Ivoire",
    "España",
    "Perú",
    "Gümrük",
    "n° déclaration",
    "Évian",
)
TEXT = "id;pays;poids\n" + "".join(f"A{k};{word};1\n" for k, word in enumerate(WORDS))


@pytest.mark.parametrize(
    "encoding",
    [*("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"), "cp1252", "cp850"],
)
def test_usual_encodings_are_found(encoding):
    found = describe_file(io.BytesIO(TEXT.encode(encoding)))
    assert found.table["pays"].tolist() == list(WORDS)
    assert found.ok
    evidence = found.frame().set_index("option").loc["encoding"]
    assert evidence["how"] == "found"
    assert evidence["evidence"]


@given(st.lists(st.sampled_from((*WORDS, "RIO", "Ñandú")), min_size=1))
@settings(max_examples=50)
def test_a_text_is_read_as_it_was_written_or_asked_for(words):
    text = "id;pays\n" + "".join(f"A;{word}\n" for word in words)
    for encoding in ("cp1252", "cp850"):
        try:
            decoded = decode_text(text.encode(encoding), None)
        except TableError:
            continue
        assert decoded.data.decode() == text


@pytest.mark.parametrize("text", ["Иванов;Пётр", "Ελλάδα;Αθήνα", "日本;東京"])
@pytest.mark.parametrize("encoding", ["cp1251", "cp1253", "shift_jis"])
def test_other_alphabets_in_a_code_page_are_asked_for(text, encoding):
    try:
        content = f"id;x;y\nA;{text}\n".encode(encoding)
    except UnicodeEncodeError:
        return
    with pytest.raises(TableError, match="encoding is not certain"):
        read_table(io.BytesIO(content))
    frame = read_table(io.BytesIO(content), file=FileFormat(encoding=encoding))
    assert ";".join(frame.loc[0, ["x", "y"]]) == text


def test_a_damaged_line_of_a_utf8_text_is_set_aside_not_reread():
    lines = TEXT.encode().split(b"\n")
    lines[3] = "A2;España;1".encode("cp1252")
    content = b"\n".join(lines) + TEXT.encode().partition(b"\n")[2] * 2
    with pytest.raises(TableError, match=r"line 4: 'A2 \| Espa\?a"):
        read_table(io.BytesIO(content), file=FileFormat(encoding="utf-8"))
    with pytest.warns(DataQualityWarning, match="not of the encoding: 1, line 4"):
        frame = read_table(io.BytesIO(content), on_error="set_aside")
    assert len(frame) == 3 * len(WORDS) - 1


def test_two_encodings_in_one_text_are_asked_for():
    content = "id;x\nA;é\nB;è\n".encode() + "C;é\nD;è\n".encode("cp1252")
    with pytest.raises(TableError, match="encoding is not certain"):
        read_table(io.BytesIO(content))


@pytest.mark.parametrize("word", ["GRAN BRETA¤A", "Ã‰vian", "Gen\ufffdve"])
def test_characters_that_were_misread_before_are_reported(word):
    with pytest.warns(DataQualityWarning, match="misread before.*line 2"):
        frame = read_table(io.StringIO(f"id;pays\nA;{word}\n"))
    assert frame["pays"].tolist() == [word]


def test_a_declared_encoding_that_cannot_be_is_make_refusal():
    with pytest.raises(TableError, match="one byte for a letter"):
        read_table(io.StringIO("id;x\nA;1\n"), file=FileFormat(encoding="utf-16"))
    with pytest.raises(ArgumentError, match="no encoding that Python knows"):
        FileFormat(encoding="utf8000")
