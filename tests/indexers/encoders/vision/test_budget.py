"""Batches that fit into memory."""

from __future__ import annotations

import pytest
import torch

from ragvl.indexers.encoders.vision.budget import BatchBudget, is_out_of_memory


def test_batches_are_of_similar_cost_and_never_above_the_limit() -> None:
    """The costliest come first; a batch costs its number times its costliest; one item may pass the limit alone."""
    batches: list[list[int]] = []
    BatchBudget(10, "pixels").run([5, 1, 30, 4, 1], batches.append, str)
    assert batches == [[2], [0, 3], [1, 4]]


def test_a_failed_batch_is_done_in_smaller_ones(caplog: pytest.LogCaptureFixture) -> None:
    """Halving goes on until it fits, no item is lost or done twice, and the limit stays where it got to."""
    budget = BatchBudget(1000, "pixels")
    done: list[int] = []

    def encode(batch: list[int]) -> None:
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        done.extend(batch)

    budget.run([10] * 9, encode, str)
    assert sorted(done) == list(range(9)) and budget.limit == 20
    assert caplog.messages[0] == "out of memory with 9 at once; going on with 45 pixels a batch"


def test_one_item_that_does_not_fit_is_an_error() -> None:
    """It is named, not skipped."""

    def encode(batch: list[int]) -> None:
        if 1 in batch:
            raise MemoryError

    with pytest.raises(MemoryError, match="item 1"):
        BatchBudget(100, "pixels").run([1, 2, 1], encode, lambda position: f"item {position}")


@pytest.mark.parametrize(
    ("error", "expected"),
    (
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried"
            ),
            True,
        ),
        (
            RuntimeError(
                "[enforce fail] data. DefaultCPUAllocator: not enough memory: you tried to allocate"
            ),
            True,
        ),
        (RuntimeError("MPS backend out of memory (MPS allocated: 18.0 GB)"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (MemoryError(), True),
        (RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"), False),
        (ValueError("out of memory"), False),
    ),
)
def test_errors_of_memory_are_told_from_others(error: Exception, expected: bool) -> None:
    """By torch's own class, or by what its allocators say."""
    assert is_out_of_memory(error) == expected
