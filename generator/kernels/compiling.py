"""The compile gate: every kernel compiled for every architecture, with no GPU, and held to limits."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from ragvl.errors import MissingExtraError
from ragvl.generator.kernels.cases import CompileCase
from ragvl.generator.kernels.choice import OPERATIONS

__all__ = [
    "SHARED_LIMIT_BYTES",
    "Compiled",
    "Job",
    "cases_of",
    "compile_case",
    "compile_jobs",
    "faults",
    "jobs",
]

SHARED_LIMIT_BYTES = MappingProxyType(
    {80: 166_912, 86: 101_376, 89: 101_376, 90: 232_448, 100: 232_448, 120: 101_376}
)
"""Architecture to the shared memory that one block may have (CUDA programming guide, compute capabilities)."""

_REGISTER_LIMIT = 65_536
"""Registers of a multiprocessor: what one block's threads hold together cannot be more."""

_USAGE = re.compile(r"REG:(\d+) STACK:(\d+)")


@dataclass(frozen=True)
class Job:
    """One case of an operation on one architecture, by its place: what can be sent to another process."""

    operation: str
    index: int
    architecture: int


@dataclass(frozen=True)
class Compiled:
    """
    What the compiler made of a case.

    `registers` and `stack_bytes` are of one thread, `shared_bytes` of one block. The instruction counts are of
    tensor-core instructions in the program's text: one warp's, a warp group's (90) and tcgen05 (100).
    """

    name: str
    architecture: int
    num_warps: int
    registers: int
    stack_bytes: int
    shared_bytes: int
    mma: int
    wgmma: int
    tcgen05: int
    faults: tuple[str, ...]


def cases_of(operation: str) -> Sequence[CompileCase]:
    """
    Return an operation's `COMPILE_CASES`.

    Raises:
        MissingExtraError: Triton is not installed.
    """
    try:
        module = importlib.import_module(f"ragvl.generator.kernels.{operation}.triton_kernel")
    except ModuleNotFoundError as error:
        if error.name != "triton":
            raise
        raise MissingExtraError('kernels are compiled by Triton: pip install "ragvl[vl]" on Linux') from error
    cases: Sequence[CompileCase] = module.COMPILE_CASES
    return cases


def jobs(
    architectures: Iterable[int],
    operations: Iterable[str] = OPERATIONS,
    *,
    named: Iterable[str] | None = None,
) -> tuple[Job, ...]:
    """List the cases of operations on architectures; `named` keeps those whose name starts with one of its own."""
    starts = None if named is None else tuple(named)
    return tuple(
        Job(operation, index, architecture)
        for operation in operations
        for index, case in enumerate(cases_of(operation))
        for architecture in architectures
        if architecture in case.architectures and (starts is None or case.name.startswith(starts))
    )


def compile_jobs(wanted: Sequence[Job], processes: int | None = None) -> tuple[Compiled, ...]:
    """Compile jobs in parallel processes, by default one for each processor; results in the order of the jobs."""
    workers = max(1, min(processes or os.cpu_count() or 1, len(wanted)))
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return tuple(pool.map(_compile_job, wanted, chunksize=max(1, len(wanted) // (4 * workers))))


def compile_case(case: CompileCase, architecture: int) -> Compiled:
    """
    Compile one case for one architecture and find what is wrong with it.

    A case that the compiler refuses comes back with zeros and the compiler's message as its fault.
    """
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, compile

    function = case.function
    signature = {
        name: "constexpr" if name in case.constexprs else case.signature[name] for name in function.arg_names
    }
    aligned = {
        (index,): [["tt.divisibility", 16]]
        for index, (name, kind) in enumerate(signature.items())
        if name not in case.odd and (kind.startswith("*") or kind in ("i32", "i64"))
    }
    options = {"num_warps": case.num_warps, "num_stages": case.num_stages, "enable_fp_fusion": True}
    source = ASTSource(function, signature, dict(case.constexprs), aligned)
    try:
        kernel = compile(source, target=GPUTarget("cuda", architecture, 32), options=options)
    except Exception as error:  # noqa: BLE001 - the compiler's errors have no common base; each is a fault
        message = f"does not compile: {type(error).__name__}: {str(error).strip().splitlines()[-1]}"
        return Compiled(case.name, architecture, case.num_warps, 0, 0, 0, 0, 0, 0, (message,))
    registers, stack_bytes = _usage(kernel.asm["cubin"])
    text = kernel.asm["ptx"]
    compiled = Compiled(
        name=case.name,
        architecture=architecture,
        num_warps=case.num_warps,
        registers=registers,
        stack_bytes=stack_bytes,
        shared_bytes=kernel.metadata.shared,
        mma=len(re.findall(r"\bmma\.sync", text)),
        wgmma=text.count("wgmma.mma_async"),
        tcgen05=text.count("tcgen05.mma"),
        faults=(),
    )
    return replace(compiled, faults=faults(case, compiled))


def faults(case: CompileCase, compiled: Compiled) -> tuple[str, ...]:
    """Say which limits a compiled case breaks: shared memory, registers, stack, warp-group instructions."""
    architecture, found = compiled.architecture, []
    limit = SHARED_LIMIT_BYTES[architecture]
    if compiled.shared_bytes > limit:
        found.append(f"{compiled.shared_bytes} bytes of shared memory, a block may have {limit}")
    if compiled.registers * 32 * case.num_warps > _REGISTER_LIMIT:
        found.append(
            f"{compiled.registers} registers in each of {32 * case.num_warps} threads are too many to run"
        )
    budget = case.max_stack_bytes
    allowed = budget if isinstance(budget, int) else budget.get(architecture, 0)
    if compiled.stack_bytes > allowed:
        found.append(f"{compiled.stack_bytes} bytes of stack (spilled registers), its budget is {allowed}")
    if case.wgmma and architecture == 90 and not compiled.wgmma:
        found.append("its dots did not become warp-group instructions")
    return tuple(found)


def _compile_job(job: Job) -> Compiled:
    return compile_case(cases_of(job.operation)[job.index], job.architecture)


def _usage(cubin: bytes) -> tuple[int, int]:
    """Return registers and stack bytes of a thread, from the tool that comes with Triton."""
    from triton.backends import nvidia

    tool = Path(nvidia.__path__[0]) / "bin" / "cuobjdump"
    with tempfile.TemporaryDirectory(prefix="ragvl-cubin-") as folder:
        path = Path(folder) / "kernel.cubin"
        path.write_bytes(cubin)
        run = subprocess.run([tool, "-res-usage", path], capture_output=True, text=True, check=True)
    usage = _USAGE.search(run.stdout)
    if usage is None:
        raise RuntimeError(f"{tool} -res-usage says nothing of registers: {run.stdout!r}")
    return int(usage[1]), int(usage[2])
