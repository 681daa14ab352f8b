"""Conversations to what the engine reads, and through it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from ragvl.generator.nemotron.checkpoint.loading import load_language
from ragvl.generator.nemotron.engine import Engine
from ragvl.generator.nemotron.prompt.budget import ThinkingBudget
from ragvl.generator.nemotron.prompt.cost import PromptCost
from ragvl.generator.nemotron.prompt.encoder import PromptEncoder, PromptInputs
from ragvl.generator.nemotron.prompt.streaming import AnswerStream
from ragvl.generator.nemotron.request import Options
from ragvl.generator.nemotron.settings import CheckpointConfig
from ragvl.generator.nemotron.video.clip import Video
from ragvl.generator.nemotron.video.evs import prune
from ragvl.generator.nemotron.video.labels import FROM_TRAINING
from ragvl.generator.nemotron.vision.features import FeatureCache
from ragvl.generator.nemotron.vision.pictures import Shown
from tests.generator.nemotron.vision.tiny_vision import TILE_PX, TILE_TOKENS, page_image

_PAGE = page_image(3 * TILE_PX, 2 * TILE_PX)
_OTHER = page_image(TILE_PX, TILE_PX, seed=2)


def _text(encoder: PromptEncoder, inputs: PromptInputs) -> str:
    """The prompt as one would read it, a "#" for each feature."""
    names = {
        encoder.tokenizer.marker(name): name
        for name in ("<s>", "<SPECIAL_10>", "<SPECIAL_11>", "<SPECIAL_12>", "<img>", "</img>")
    } | {encoder.markers.image: "#"}
    text, plain = "", []
    for number in inputs.ids:
        if number in names:
            text, plain = text + encoder.tokenizer.decode(plain) + names[number], []
        else:
            plain.append(number)
    return text + encoder.tokenizer.decode(plain)


def test_features_stand_at_their_places(encoder: PromptEncoder) -> None:
    """Between the picture's marks, in the order of the pictures, as many as the vision model gives."""
    inputs = encoder.encode(["One:\n", _PAGE, "Two:\n", _OTHER, "Which?"], system="Look.")
    assert _text(encoder, inputs) == (
        "<s><SPECIAL_10>System\nLook.\n<SPECIAL_11>User\nOne:\n<img>" + "#" * 28 + "</img>\nTwo:\n<img>####"
        "</img>\nWhich?\n<SPECIAL_11>Assistant\n<think></think>"
    )
    assert inputs.positions is not None
    assert inputs.features is not None
    assert {inputs.ids[position] for position in inputs.positions} == {encoder.markers.image}
    seen = encoder.pictures.encode([Shown(_PAGE), Shown(_OTHER)])
    torch.testing.assert_close(inputs.features, torch.cat([own.values for own in seen]), rtol=1e-4, atol=1e-5)


def test_a_prompt_of_text_needs_no_vision(config: CheckpointConfig) -> None:
    """No features, and the weights of the vision model are not read."""
    encoder = PromptEncoder(config, "cpu")
    inputs = encoder.encode(["Why?"])
    assert (inputs.features, inputs.positions) == (None, None)
    assert encoder.pictures._model is None


def test_a_video_is_labelled_frame_by_frame(encoder: PromptEncoder, config: CheckpointConfig) -> None:
    """With times or without, in the style that is asked for."""
    frames = (_PAGE, _OTHER)
    inputs = encoder.encode([Video(frames, (0.0, 12.5)), "Why?"])
    assert (
        "User\nThis is a video:\nFrame 1 sampled at 0.00 seconds: <img>####</img>"
        "Frame 2 sampled at 12.50 seconds: <img>####</img>\nWhy?\n"
    ) in _text(encoder, inputs)
    trained = PromptEncoder(config, "cpu", frame_style=FROM_TRAINING)
    assert "video:\nFrame 1: <img>####</img>\nFrame 2: <img>####</img>\n\nWhy?\n" in _text(
        trained, trained.encode([Video(frames), "Why?"])
    )


def test_a_pruned_video(config: CheckpointConfig) -> None:
    """A still frame keeps its label and loses its tokens; pictures beside the video lose none."""
    encoder = PromptEncoder(config, "cpu", pruning_rate=0.5)
    video = Video((_OTHER, _OTHER, _OTHER, _PAGE))
    inputs = encoder.encode([video, _OTHER, "Why?"])
    assert (
        "Frame 1: <img>####</img>Frame 2: <img></img>Frame 3: <img></img>Frame 4: <img>####</img>\n<img>####</img>"
    ) in _text(encoder, inputs)
    seen = encoder.pictures.encode([Shown(frame, is_frame=True) for frame in video.frames])
    kept = prune([own.values for own in seen], 0.5)
    assert kept.counts == (4, 0, 0, 4)
    assert inputs.features is not None
    torch.testing.assert_close(inputs.features[:8], kept.values, rtol=1e-4, atol=1e-5)
    assert len(inputs.features) == 12


def _keys(inputs: PromptInputs) -> set[tuple[int, str]]:
    return {(boundary.tokens, boundary.key) for boundary in inputs.boundaries}


def test_boundaries_tell_what_prompts_share(encoder: PromptEncoder) -> None:
    """Two prompts share a boundary exactly when tokens and pictures before it are the same."""
    first = encoder.encode([_PAGE, "Why?"], system="Look.")
    again = encoder.encode([_PAGE, "How?"], system="Look.")
    shared = max(tokens for tokens, _ in _keys(first) & _keys(again))
    assert first.ids[:shared] == again.ids[:shared]
    assert first.ids[shared - 1] == encoder.markers.image_end
    recoloured = page_image(_PAGE.width_px, _PAGE.height_px, seed=5)
    other = encoder.encode([recoloured, "Why?"], system="Look.")
    assert other.ids == first.ids
    assert max(tokens for tokens, _ in _keys(first) & _keys(other)) < shared - 28
    assert first.boundaries[-1].tokens == len(first)


def test_pruning_depends_on_the_whole_video(config: CheckpointConfig) -> None:
    """What is kept of a first frame's successor depends on later ones, and so does its boundary."""
    encoder = PromptEncoder(config, "cpu", pruning_rate=0.5)
    noise = [page_image(TILE_PX, TILE_PX, seed) for seed in range(4)]
    first = encoder.encode([Video((noise[0], noise[1], noise[2])), "Why?"])
    other = encoder.encode([Video((noise[0], noise[1], noise[3])), "Why?"])
    assert max(tokens for tokens, _ in _keys(first) & _keys(other)) < first.ids.index(encoder.markers.image)


def test_the_engine_answers(
    whole_checkpoint: Path, encoder: PromptEncoder, config: CheckpointConfig, tmp_path: Path
) -> None:
    """The same tokens for the same page, seen now or found in the cache; others for another page."""
    engine = Engine(load_language(config, "cpu", dtype=torch.float32)[0], capacity=256)
    options = Options(max_tokens=6, stop_ids=encoder.markers.stop)

    def answer(by: PromptEncoder, page: Image.Image) -> list[int]:
        return list(engine.stream(by.encode([page, "Why?"]), options))

    page, other = Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 64), "lime")
    kept = PromptEncoder(config, "cpu", cache=FeatureCache(tmp_path))
    found = PromptEncoder(config, "cpu", cache=FeatureCache(tmp_path))
    assert answer(kept, page) == answer(found, page)
    assert answer(encoder, page) != answer(encoder, other)


def test_the_engine_thinks_within_its_budget(encoder: PromptEncoder, config: CheckpointConfig) -> None:
    """As a generator does it: the thought is closed by `extend`, and what comes then is the answer."""
    engine = Engine(load_language(config, "cpu", dtype=torch.float32)[0], capacity=256)
    budget = ThinkingBudget(encoder.tokenizer, 5)
    stream = AnswerStream(encoder.tokenizer, think=True)
    inputs = encoder.encode(["Why?"], think=True)
    request = engine.start(inputs, Options(max_tokens=budget.reserve + 8))
    shown, answer, thought = 0, "", ""
    while True:
        new = request.tokens[shown:]
        shown = len(request.tokens)
        split = stream.feed(new)
        answer, thought = answer + split.answer, thought + split.thought
        closing = budget.feed(new)
        if closing:
            assert answer == ""
            engine.extend(request, closing)
            continue
        if request.ending is not None:
            break
        engine.step()
    split = stream.finish(cut=request.ending == "length")
    written = request.tokens
    assert tuple(written[5 : 5 + len(budget.closing)]) == budget.closing
    assert len(written) == 5 + len(budget.closing) + 8
    assert encoder.tokenizer.decode(written[5 + len(budget.closing) :]).lstrip().startswith(answer[:1])
    assert "think" not in answer + split.answer


def test_costs_are_not_lower_than_the_truth(encoder: PromptEncoder) -> None:
    """What is counted part by part covers the prompt that they make."""
    cost = PromptCost(encoder, 4096)
    texts = ["One:\n", "Two:\n", "Which of the two images?"]
    pages = [_PAGE, _OTHER]
    inputs = encoder.encode([texts[0], pages[0], texts[1], pages[1], texts[2]])
    frame = len(encoder.encode([]).ids)
    counted = frame + sum(map(cost.text_tokens, texts))
    counted += sum(cost.image_tokens(page.width_px, page.height_px) for page in pages)
    assert len(inputs) <= counted <= len(inputs) + 10
    assert cost.image_tokens(TILE_PX, TILE_PX) >= TILE_TOKENS + 3
    with pytest.raises(ValueError, match="0 x 5 pixels"):
        cost.image_tokens(0, 5)
