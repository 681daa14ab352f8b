"""
A tokenizer in the place of the real one, which is not at hand.

It parts text as the real one does (by Tekken's published pattern), has the special tokens that are documented, and
holds every word of the documented prompts as one token, so that they come out as long as is published. Anything else is
spelled in bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

MEDIA = ("<image>", "<img>", "</img>", "<video>")

_SPECIAL = ("<unk>", "<s>", "</s>", *(f"<SPECIAL_{number}>" for number in range(3, 20)))
_PATTERN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# "<" and "think" are two tokens, as are "<" and "image"; "></" is one.
_TEXTS = (
    "System\n\n",
    "User\n",
    "Assistant\n",
    "Describe the natural environment in the image.\n",
    "Describe the natural environment in the video.\n",
    "Describe the differences between the two images.\n",
    "Describe the differences between the two videos.\n",
    "This is a video:\n",
    "Frame 1 sampled at 0.00 seconds: ",
    "image",
    "think",
    "></",
    " <",
)


def write_tokenizer(
    folder: Path,
    *,
    plain: Sequence[str] = (),
    normalized: Sequence[tuple[str, str]] = (),
    without: Sequence[str] = (),
) -> Path:
    """
    Write `tokenizer.json`.

    Args:
        folder: where.
        plain: more added tokens, which are not special.
        normalized: what the tokenizer's normaliser replaces, and by what.
        without: special tokens that are left out.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        min_frequency=0,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[token for token in _SPECIAL if token not in without],
    )
    tokenizer.train_from_iterator(_TEXTS, trainer)
    tokenizer.add_special_tokens([token for token in MEDIA if token not in without])
    tokenizer.add_tokens([AddedToken(token, normalized=bool(normalized)) for token in plain])
    if normalized:
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Replace(before, after) for before, after in normalized]
        )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
