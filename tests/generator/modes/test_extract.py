"""Forms filled in: values looked up on the page that the model names, and what becomes of a bad answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ragvl.errors import ConfigError, GeneratorError
from ragvl.library import Library
from tests.generator.modes.conftest import ScriptedWriter, Shown

FORM = {
    "type": "object",
    "properties": {
        "chief": {"type": "string", "description": "chief executive"},
        "passengers": {"type": "integer", "description": "passengers carried"},
        "ships": {"type": "integer"},
        "result": {"type": "number"},
    },
    "required": ["chief", "passengers"],
}
OTTER = {"path": "otter.pdf"}
Scripted = Callable[..., ScriptedWriter]


def reply(**values: tuple[object, str]) -> Callable[[Shown], str]:
    """Fill in the form: each value with words of the page that is named for it."""

    def write(shown: Shown) -> str:
        filled = {
            name: {"value": value, "page": shown.label(words) if words else None}
            for name, (value, words) in values.items()
        }
        return json.dumps(filled)

    return write


def test_right_values_are_verified_with_their_place(library: Library, scripted: Scripted) -> None:
    """Texts word for word, numbers however they are written: with commas, spelled, below nought."""
    scripted(
        reply(
            chief=("Ada Lindqvist", "chief"),
            passengers=(1204500, "passengers"),
            ships=(7, "fleet"),
            result=(-42, "Result"),
        )
    )
    made = library.extract(FORM, where=OTTER)
    assert made.values == {"chief": "Ada Lindqvist", "passengers": 1204500, "ships": 7, "result": -42}
    assert [(one.path, one.verified) for one in made.fields] == [
        (name, True) for name in ("chief", "passengers", "ships", "result")
    ]
    citations = [one.citation for one in made.fields]
    assert [citation.page_number for citation in citations if citation] == [1, 2, 2, 3]
    assert all(citation and citation.regions for citation in citations)
    assert citations[0] and citations[0].quote == "Ada Lindqvist"
    assert (made.problems, made.unknown_labels, made.generator) == ((), 0, "scripted")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("chief", "Ada Lindquist", "chief"),  # misspelled
        ("chief", "Ada", "Fleet"),  # on another page
        ("chief", "Lind", "chief"),  # half a word
        ("passengers", 1204501, "passengers"),
        ("passengers", 500, "passengers"),  # the end of 1,204,500
        ("passengers", 1204500, "chief"),  # on another page
        ("result", 42, "Result"),  # without its minus
        ("ships", -7, "Fleet"),
    ],
)
def test_wrong_values_are_not_verified(
    library: Library, scripted: Scripted, name: str, value: object, words: str
) -> None:
    """They stay in the form, with the page that was named, no place on it, and `verified` false."""
    filled: dict[str, tuple[object, str]] = dict.fromkeys(FORM["properties"], (None, ""))  # type: ignore[attr-defined]
    scripted(reply(**{**filled, name: (value, words)}))
    made = library.extract(FORM, where=OTTER)
    (field,) = [one for one in made.fields if one.path == name]
    assert (field.value, field.verified) == (value, False)
    assert field.citation is not None
    assert field.citation.regions == ()


def test_forged_labels_are_dropped_and_counted(library: Library, scripted: Scripted) -> None:
    """A page that was not shown cannot be cited, even for a value that is right."""
    filled = {"chief": {"value": "Ada Lindqvist", "page": "q9z9"}, "passengers": 1204500}
    scripted(json.dumps(filled))
    made = library.extract(FORM, where=OTTER)
    assert made.unknown_labels == 1
    assert [(one.citation, one.verified) for one in made.fields] == [(None, False)] * 4
    assert made.values["passengers"] == 1204500


def test_a_required_field_that_no_page_says_is_a_problem(library: Library, scripted: Scripted) -> None:
    """Null is an answer: nothing is asked again, so that nothing is made up."""
    writer = scripted(reply(chief=(None, ""), passengers=(1204500, "passengers")))
    made = library.extract(FORM, where=OTTER)
    assert made.problems == ("no page says chief, which is required",)
    assert (made.values["chief"], len(writer.requests)) == (None, 1)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ('{"chief": {"value": "Ada', "not valid JSON"),
        ("I cannot do that.", "not valid JSON"),
        ("[1, 2]", "in place of an object"),
        ('{"passengers": {"value": NaN, "page": null}}', "NaN is no number"),
        ('{"passengers": {"value": "many", "page": null}}', "passengers must be of type integer"),
        ('{"passengers": {"value": true, "page": null}}', "passengers must be of type integer"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_a_bad_answer_is_repaired_once(library: Library, scripted: Scripted, bad: str, told: str) -> None:
    """The model is told what is wrong with it, shown the pages again, and its second answer counts."""
    writer = scripted(bad, reply(chief=("Ada Lindqvist", "chief"), passengers=(1204500, "passengers")))
    made = library.extract(FORM, where=OTTER)
    assert [one.verified for one in made.fields[:2]] == [True, True]
    assert told in writer.requests[1].text
    assert len(writer.requests) == 2


def test_a_bad_answer_twice_is_an_error(library: Library, scripted: Scripted) -> None:
    """It says what is wrong, and what to do."""
    writer = scripted("{")
    with pytest.raises(GeneratorError, match="not valid JSON: .* another model"):
        library.extract(FORM, where=OTTER)
    assert len(writer.requests) == 2


def test_fences_and_words_around_the_object_are_passed_over(library: Library, scripted: Scripted) -> None:
    """Models like to say more than they are asked to."""
    inner = reply(chief=("Ada Lindqvist", "chief"), passengers=(1204500, "passengers"))
    for frame in ("```json\n{}\n```", "Here it is: {} I hope that helps."):
        before, behind = frame.split("{}")
        writer = scripted(lambda shown, before=before, behind=behind: before + inner(shown) + behind)
        assert library.extract(FORM, where=OTTER).fields[0].verified
        assert len(writer.requests) == 1


def test_lists_and_nested_objects(library: Library, scripted: Scripted) -> None:
    """Each value of a list has a path, a page and a check of its own; other keys are left out."""
    form = {
        "type": "object",
        "properties": {
            "companies": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"chief": {"type": "string"}, "kind": {"enum": ["ferries", "trains"]}},
                },
            }
        },
    }

    def write(shown: Shown) -> str:
        otter, heron = shown.label("Ada Lindqvist"), shown.label("Bo Nyman")
        return json.dumps(
            {
                "companies": [
                    {
                        "chief": {"value": "Ada Lindqvist", "page": otter},
                        "kind": {"value": "ferries", "page": otter},
                    },
                    {"chief": {"value": "Bo Nyman", "page": otter}, "invented": 1},
                    {"chief": {"value": "Bo Nyman", "page": f"[{heron}]"}},
                ]
            }
        )

    scripted(write)
    made = library.extract(form)
    assert [(one.path, one.verified) for one in made.fields if one.value is not None] == [
        ("companies[0].chief", True),
        ("companies[0].kind", True),
        ("companies[1].chief", False),
        ("companies[2].chief", True),
    ]
    assert made.values["companies"][1] == {"chief": "Bo Nyman", "kind": None}


def test_the_model_is_held_to_the_labels_it_was_shown(library: Library, scripted: Scripted) -> None:
    """The schema sent along names the pages of this request, and the text marks them as material."""
    writer = scripted("{}")
    library.extract(FORM, "the otters' report", pages=[("docs/otter.pdf", 1), ("docs/otter.pdf", 3)])
    (request,) = writer.requests
    labels = [label for label, _, _ in request.pages]
    assert request.schema is not None
    assert request.schema["properties"]["chief"]["properties"]["page"] == {"enum": [*labels, None]}
    assert [number for _, _, number in request.pages] == [1, 3]
    assert "never follow" in request.system


@pytest.mark.parametrize("context_tokens", [960, 1200, 2000])
@pytest.mark.parametrize("long", [False, True])
def test_no_request_is_larger_than_the_context(
    library: Library, scripted: Scripted, context_tokens: int, long: bool
) -> None:
    """The writer itself fails a request that is, the one for the repair included."""
    bad = "a long answer that is no form " * (400 if long else 1)
    writer = scripted(bad, reply(), context_tokens=context_tokens)
    library.extract(FORM)
    assert len(writer.requests) == 2


def test_a_context_without_room_is_an_error(library: Library, scripted: Scripted) -> None:
    """It says what to raise."""
    scripted("{}", context_tokens=500)
    with pytest.raises(GeneratorError, match="context_tokens"):
        library.extract(FORM)


def test_nothing_found_asks_nobody(library: Library, scripted: Scripted) -> None:
    """A filter that no document passes gives an empty form and says so."""
    writer = scripted("{}")
    made = library.extract(FORM, where={"path": "nothing/*"})
    assert (writer.requests, made.problems) == ([], ("no page was found that could be shown to the model",))
    assert set(made.values) == set(FORM["properties"])  # type: ignore[call-overload]


def test_the_extractive_answerer_cannot(library: Library) -> None:
    """The error names what can."""
    with pytest.raises(ConfigError, match=r"extractive.*cannot extract.*endpoint\.yaml"):
        library.extract(FORM)


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ([], "must be an object"),
        ({"type": "string"}, "must describe an object"),
        ({"type": "object"}, "without properties"),
        ({"type": "object", "properties": {"a": {}}}, "'a' of the schema has no type"),
        ({"type": "object", "properties": {"a": {"type": "str"}}}, "unknown type 'str'"),
        ({"type": "object", "properties": {"a": {"anyOf": []}}}, "'a' of the schema uses 'anyOf'"),
        ({"type": "object", "propertys": {}}, "did you mean 'properties'"),
        ({"type": "object", "properties": {"a": {"enum": []}}}, "enum of 'a'"),
        ({"type": "object", "properties": {"a": {"type": "array"}}}, "items of 'a'"),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["b"]}, "requires 'b'"),
    ],
)
def test_a_schema_of_another_kind_is_refused(library: Library, schema: Any, told: str) -> None:
    """Before anything is searched or asked, with the place."""
    with pytest.raises(ValueError, match=told):
        library.extract(schema)
