"""The compile gate: every kernel is legal and within its limits on every architecture, with no GPU at hand."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace

import pytest

if sys.platform != "linux":
    pytest.skip("Triton has wheels for Linux only", allow_module_level=True)

import triton
import triton.language as tl

from ragvl.generator.kernels.cases import ARCHITECTURES, CompileCase
from ragvl.generator.kernels.choice import OPERATIONS
from ragvl.generator.kernels.compiling import Compiled, cases_of, compile_case, compile_jobs, jobs

LARGEST = ("ssd_prefill", "gemv, 2 to 8 rows, gated norm", "decode attention, a part")


@triton.jit
def product_kernel(x_ptr: tl.tensor, y_ptr: tl.tensor, out_ptr: tl.tensor, BLOCK: tl.constexpr) -> None:
    """Multiply two square blocks in a loop, so that they pass through shared memory."""
    rows = tl.arange(0, BLOCK)
    square = rows[:, None] * BLOCK + rows[None, :]
    total = tl.zeros([BLOCK, BLOCK], tl.float32)
    for step in range(8):
        offset = step * BLOCK * BLOCK + square
        total = tl.dot(tl.load(x_ptr + offset), tl.load(y_ptr + offset), total)
    tl.store(out_ptr + square, total)


@triton.jit
def unknown_kernel(x_ptr: tl.tensor) -> None:
    """Call what Triton does not have."""
    tl.store(x_ptr, tl.no_such_function(1.0))


PRODUCT = CompileCase(
    name="product",
    function=product_kernel,
    signature={"x_ptr": "*bf16", "y_ptr": "*bf16", "out_ptr": "*fp32"},
    constexprs={"BLOCK": 64},
)


def report(compiled: Iterable[Compiled]) -> list[str]:
    """Return a line for each fault."""
    return [f"{each.name} on {each.architecture}: {fault}" for each in compiled for fault in each.faults]


@pytest.fixture(scope="module")
def compiled() -> tuple[Compiled, ...]:
    """Every case for Hopper, and the three that use the most of a multiprocessor for all architectures."""
    return compile_jobs(tuple(dict.fromkeys((*jobs([90]), *jobs(ARCHITECTURES, named=LARGEST)))))


def test_every_kernel_is_within_its_limits_on_hopper(compiled: tuple[Compiled, ...]) -> None:
    """All cases compile for architecture 90, within shared memory, registers and stack, with wgmma where due."""
    hopper = [each for each in compiled if each.architecture == 90]
    assert report(hopper) == []
    assert len(hopper) >= 15


def test_largest_kernels_are_within_their_limits_everywhere(compiled: tuple[Compiled, ...]) -> None:
    """They compile for all six architectures."""
    for start in LARGEST:
        found = [each for each in compiled if each.name.startswith(start)]
        assert {each.architecture for each in found} == set(ARCHITECTURES)
        assert report(found) == []


@pytest.mark.slow
def test_every_kernel_is_within_its_limits_everywhere() -> None:
    """All cases, all architectures."""
    assert report(compile_jobs(jobs(ARCHITECTURES))) == []


def test_every_operation_has_cases_for_every_architecture() -> None:
    """No architecture is left without a check of some form of an operation."""
    for operation in OPERATIONS:
        covered = {architecture for case in cases_of(operation) for architecture in case.architectures}
        assert covered == set(ARCHITECTURES), operation


def test_a_sound_kernel_has_no_fault() -> None:
    """The product used below to break limits keeps them at a small size."""
    compiled = compile_case(replace(PRODUCT, wgmma=True), 90)
    assert compiled.faults == ()
    assert compiled.wgmma > 0 and compiled.registers > 0 and compiled.shared_bytes > 0


def test_too_much_shared_memory_is_refused() -> None:
    """128 x 128 blocks in three stages fit an H100's multiprocessor and not a small card's."""
    large = replace(PRODUCT, constexprs={"BLOCK": 128}, num_warps=8, num_stages=3)
    assert compile_case(large, 90).faults == ()
    (fault,) = compile_case(large, 86).faults
    assert fault.endswith("bytes of shared memory, a block may have 101376")


def test_spilled_registers_are_refused_unless_budgeted() -> None:
    """One warp cannot hold a 128 x 128 sum; the fault goes away with a budget, for that architecture only."""
    spilling = replace(PRODUCT, constexprs={"BLOCK": 128}, num_warps=1, num_stages=1)
    compiled = compile_case(spilling, 80)
    assert compiled.stack_bytes > 0
    assert compiled.faults == (f"{compiled.stack_bytes} bytes of stack (spilled registers), its budget is 0",)
    assert compile_case(replace(spilling, max_stack_bytes={80: compiled.stack_bytes}), 80).faults == ()
    assert compile_case(replace(spilling, max_stack_bytes={90: compiled.stack_bytes}), 80).faults != ()


def test_missing_warp_group_instructions_are_refused() -> None:
    """A block of 16 rows is too small for them."""
    small = replace(PRODUCT, constexprs={"BLOCK": 16}, wgmma=True)
    assert compile_case(small, 90).faults == ("its dots did not become warp-group instructions",)


def test_what_does_not_compile_is_a_fault() -> None:
    """The compiler's message is kept, and nothing is raised that would hide the other kernels' faults."""
    broken = CompileCase(name="broken", function=unknown_kernel, signature={"x_ptr": "*fp32"})
    (fault,) = compile_case(broken, 90).faults
    assert fault.startswith("does not compile: ")
    assert "no_such_function" in fault
