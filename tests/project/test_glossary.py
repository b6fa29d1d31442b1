"""Messages keep to the glossary, in every language, and its page is up to date."""

from __future__ import annotations

import importlib.util
import re

import pytest

from smartrisk.errors import ArgumentError
from smartrisk.languages import LANGUAGES, glossary, language_of

#: A word of a term as messages inflect it: its beginning, then any ending.
_SHORT = 4
#: Longest ending that inflection changes: "arancelarias" of "arancelaria".
_ENDING = 2


def load(root, name):
    """Return a program of the folder ``.ci``."""
    spec = importlib.util.spec_from_file_location(name, root / f".ci/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def messages(root):
    """Return (English, context, domain, forms by language) of every message."""
    program = load(root, "catalogues")
    found = []
    for domain in program.DOMAINS:
        read = {lang: program.read(domain, lang) for lang in ("fr", "es")}
        for message in read["fr"]:
            if message.id:
                one = message.id if isinstance(message.id, str) else message.id[0]
                texts = {
                    lang: " ".join(forms(catalogue.get(one, message.context).string))
                    for lang, catalogue in read.items()
                }
                found.append((" ".join(forms(message.id)), message.context, texts))
    return found


def forms(text):
    """Return a text, or its forms, as a tuple."""
    return (text,) if isinstance(text, str) else tuple(text)


def pattern_of(term):
    """Return the pattern of a term in a translated message, whatever its endings."""
    words = [
        f"{re.escape(word)}[sx]?"
        if len(word) <= _SHORT
        else f"{re.escape(word[: max(_SHORT, len(word) - _ENDING)])}\\w*"
        for word in term.split()
    ]
    return re.compile(r"\b" + r"\s+".join(words) + r"\b", re.IGNORECASE)


#: (term, beginning of the English text) -> why its translation has another word.
EXCEPTIONS = {
    ("declaration", "load_kcs: no file"): "the name of a repository",
    ("finding", "Finding of the officer"): "the head of a form: the result found",
    ("officer", "Finding of the officer"): "the head of a form: the result found",
    ("lodge", "Lodged"): "French heads are nouns: the lodging",
    ("origin", "data governance"): "where data come from, not goods",
    ("quantity", "unit of the quantity"): "the unit of measure, a term of its own",
    ("classification", "Only binary"): "of items into two classes",
    ("recall", "{name!r} is not a metric that ranks"): "the name of a metric",
    ("release", "suppress: what is public"): "a release of figures, not of goods",
    ("release", "compare: one release"): "a release of figures, not of goods",
    ("release", "{owner}: an earlier release"): "a release of figures, not of goods",
    ("field", "FileFormat: there are"): "a field of a file, not of the declaration",
    ("field", "join_documents: the item number"): "a field of a file",
    ("field", "lines that end in a separator"): "a field of a file",
    ("field", "lines with NUL bytes"): "a field of a file",
    ("field", "no header was found"): "a field of a file",
    ("field", "no separator divides"): "a field of a file",
    ("field", "records "): "a field of a file",
    ("field", "{where} has {n_names} names"): "a field of a file",
}


def words_of(text):
    """Return the words of an English message: no placeholder, no code, no table."""
    text = re.sub(r"%\(\w+\)s|\{[^}]*\}|'[^' ]*'|`[^`]*`", " ", text)
    # Names of code: Ledger.record, RiskEngine.save().
    text = re.sub(r"\b[A-Za-z]\w*\.[a-z_]\w*(?:\(\))?", " ", text)
    return re.sub(r"\b[A-Z_]{4,}\b", " ", text)


def terms_in(text):
    """Yield the ids of the terms in an English message, the longest term first."""
    rest = words_of(text)
    for term in sorted(glossary("en"), key=lambda term: -len(term.name)):
        pattern = re.compile(rf"\b{re.escape(term.name)}(?:s|es)?\b", re.IGNORECASE)
        if pattern.search(rest):
            yield term.id
            rest = pattern.sub(" ", rest)


def is_excepted(term, text):
    """Return whether another word is meant in this message."""
    return any(term == one and text.startswith(begin) for one, begin in EXCEPTIONS)


def test_every_term_of_the_glossary_is_translated_by_its_word(messages):
    names = {
        lang: {term.id: term.name for term in glossary(lang)} for lang in ("fr", "es")
    }
    found = [
        (term, text, context, translated)
        for text, context, translated in messages
        for term in terms_in(text)
    ]
    assert len(found) > 400
    assert len({term for term, *_ in found}) > 40
    wrong = [
        (names[lang][term], text, context, translated[lang])
        for term, text, context, translated in found
        for lang in ("fr", "es")
        if not pattern_of(names[lang][term]).search(translated[lang])
        and not is_excepted(term, text)
    ]
    assert wrong == []


def test_every_exception_is_needed(messages):
    names = {
        lang: {term.id: term.name for term in glossary(lang)} for lang in ("fr", "es")
    }
    for term, begin in EXCEPTIONS:
        translated = [
            texts
            for text, _, texts in messages
            if text.startswith(begin) and term in set(terms_in(text))
        ]
        assert any(
            not pattern_of(names[lang][term]).search(texts[lang])
            for texts in translated
            for lang in ("fr", "es")
        ), (term, begin)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_glossary_has_each_term_once_with_a_sentence(lang):
    terms = glossary(lang)
    names = [term.name.casefold() for term in terms]
    assert len(terms) >= 80
    double = {name for name in names if names.count(name) > 1}
    assert double <= {"oea"}, double
    for term in terms:
        assert term.meaning.endswith("."), term.id
        assert term.meaning[0].isupper(), term.id
        assert term.used, term.id


def test_terms_of_a_country_are_those_of_its_language():
    assert glossary("es-MX") == glossary("es")
    assert language_of("es-MX") == "es"
    with pytest.raises(ArgumentError, match="glossary: 'lang' must be"):
        glossary("de")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_of_a_language_is_made_from_the_glossary(root, lang):
    program = load(root, "glossary")
    assert program.path(lang).read_text(encoding="utf-8") == program.page(lang), (
        "run python .ci/glossary.py"
    )
    assert glossary(lang)[0].meaning in program.page(lang)


def test_an_inflected_term_is_found_and_another_word_is_not():
    assert pattern_of("taux d'irrégularité").search("le taux d'irrégularité attendu")
    assert pattern_of("tasa arancelaria").search("las tasas arancelarias")
    assert not pattern_of("artículo").search("un ítem")
    assert not pattern_of("masse nette").search("masse brute")
