"""Drawing tokens."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from ragvl.generator.nemotron.sampling import GREEDY, Sampler, Sampling, next_tokens

CPU = torch.device("cpu")
ODDS = torch.tensor([0.05, 0.5, 0.15, 0.3])
DRAWS = 4000


def _draw(sampling: Sampling, logits: torch.Tensor, count: int = DRAWS) -> Counter[int]:
    sampler = Sampler(sampling, CPU)
    return Counter(int(sampler.draw(logits)) for _ in range(count))


def test_tokens_come_in_proportion() -> None:
    """At temperature 1 the shares are the odds."""
    found = _draw(Sampling(temperature=1.0), ODDS.log())
    for token, odds in enumerate(ODDS.tolist()):
        assert found[token] / DRAWS == pytest.approx(odds, abs=0.03)


def test_temperature_sharpens() -> None:
    """At temperature 1/2 the odds are squared, and made to sum to one."""
    found = _draw(Sampling(temperature=0.5), ODDS.log())
    squared = ODDS**2 / (ODDS**2).sum()
    for token, odds in enumerate(squared.tolist()):
        assert found[token] / DRAWS == pytest.approx(odds, abs=0.03)


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.4, {1}), (0.5, {1}), (0.51, {1, 3}), (0.81, {1, 2, 3}), (1.0, {0, 1, 2, 3})]
)
def test_top_p_keeps_the_fewest_that_suffice(top_p: float, kept: set[int]) -> None:
    """The likeliest tokens that together reach top_p, and at least one."""
    assert set(_draw(Sampling(temperature=1.0, top_p=top_p), ODDS.log(), 600)) == kept


def test_a_seed_repeats_its_draws() -> None:
    """Two samplers of one seed draw the same; another seed does not."""
    logits = torch.zeros(50)

    def draws(seed: int) -> list[int]:
        sampler = Sampler(Sampling(temperature=1.0, seed=seed), CPU)
        return [int(sampler.draw(logits)) for _ in range(20)]

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)


def test_impossible_tokens_are_never_drawn() -> None:
    """A logit of minus infinity stays impossible."""
    logits = torch.tensor([float("-inf"), 0.0, float("-inf")])
    assert set(_draw(Sampling(temperature=2.0, top_p=0.9), logits, 200)) == {1}


def test_noise_of_zero_does_not_choose_an_impossible_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise that rounds to zero must not turn odds of zero into the winner."""
    monkeypatch.setattr(torch.Tensor, "exponential_", lambda tensor, generator: tensor.zero_())
    assert int(Sampler(Sampling(temperature=1.0), CPU).draw(torch.tensor([float("-inf"), 1.0, 0.0]))) == 1


def test_rows_with_and_without_samplers() -> None:
    """Greedy rows take the likeliest token, whoever else draws; rows without a request are passed over."""
    logits = torch.eye(4) * 50
    samplers = [Sampler(GREEDY, CPU), None, Sampler(Sampling(temperature=1.0), CPU), Sampler(GREEDY, CPU)]
    assert next_tokens(logits, samplers) == [0, 1, 2, 3]


@pytest.mark.parametrize(("temperature", "top_p"), [(-0.1, 1.0), (float("nan"), 1.0), (1.0, 0.0), (1.0, 1.1)])
def test_numbers_out_of_range(temperature: float, top_p: float) -> None:
    """They are refused when they are given."""
    with pytest.raises(ValueError, match="temperature|top_p"):
        Sampling(temperature=temperature, top_p=top_p)
