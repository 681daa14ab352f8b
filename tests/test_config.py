"""Configuration as a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragvl.config import Config, load_config, profiles
from ragvl.errors import ConfigError, MissingExtraError
from ragvl.registry import BUILT_IN, load, names


def test_every_preset_loads() -> None:
    """Each file in `configs/` is a valid configuration that knows its own name."""
    assert "embedded" in profiles()
    for profile in profiles():
        assert load_config(profile).profile == profile


def test_overrides_are_laid_over_the_preset() -> None:
    """A nested override changes one setting and leaves the others."""
    config = load_config("embedded", {"reading": {"ocr": {"figures": False}}})
    assert not config.reading.ocr.figures
    assert config.reading.ocr.pages
    assert config.retrieval == Config().retrieval


def test_a_file_can_be_a_profile(tmp_path: Path) -> None:
    """A YAML file of one's own is named by its path."""
    path = tmp_path / "mine.yaml"
    path.write_text("retrieval:\n  candidates: 33\n", encoding="utf-8")
    assert load_config(str(path)).retrieval.candidates == 33


@pytest.mark.parametrize(
    ("profile", "overrides", "message"),
    [
        ("embeded", {}, "did you mean 'embedded'"),
        (
            "embedded",
            {"retrieval": {"text_wieght": 1}},
            "'retrieval.text_wieght'.*did you mean 'text_weight'",
        ),
        ("embedded", {"retrievall": {}}, "did you mean 'retrieval'"),
        (
            "embedded",
            {"retrieval": {"candidates": -1}},
            "'retrieval.candidates'.*greater than or equal to 10",
        ),
        ("nowhere.yaml", {}, "does not exist"),
    ],
)
def test_mistakes_name_the_setting_and_the_nearest(
    profile: str, overrides: dict[str, object], message: str
) -> None:
    """Unknown names and values out of range are refused with what was probably meant."""
    with pytest.raises(ConfigError, match=message):
        load_config(profile, overrides)


def test_a_profile_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    """A list or broken YAML gets a clear error."""
    path = tmp_path / "bad.yaml"
    for content, message in (("- a", "must hold a mapping"), ("a: [", "not valid YAML")):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError, match=message):
            load_config(str(path))


def test_a_configuration_cannot_be_changed() -> None:
    """A configuration is a value."""
    with pytest.raises(ValueError, match="frozen"):
        load_config().retrieval.candidates = 20  # type: ignore[misc]


def test_every_registered_part_can_be_imported() -> None:
    """No row of the table points to nothing."""
    for kind in BUILT_IN:
        for name in names(kind):
            assert isinstance(load(kind, name), type)


def test_an_unknown_part_lists_the_known() -> None:
    """The message says what there is."""
    with pytest.raises(ConfigError, match="known: endpoint, extractive"):
        load("generator", "oracle")


def test_a_missing_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """What must be installed is said."""
    monkeypatch.setitem(BUILT_IN["generator"], "far", "no_such_package_xyz:Far")  # type: ignore[arg-type]
    with pytest.raises(MissingExtraError, match="pip install no_such_package_xyz"):
        load("generator", "far")
