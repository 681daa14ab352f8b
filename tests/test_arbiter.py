"""The arbiter: never over budget, nothing in use is moved, and nobody waits for ever."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from ragvl.arbiter import Arbiter, DeviceMemoryError, HeldModel, Place

GIB = 1 << 30


class Machine:
    """The memory that fake models take, counted where it is taken."""

    def __init__(self, device_bytes: int, host_bytes: int) -> None:
        self.device_bytes, self.host_bytes = device_bytes, host_bytes
        self.device, self.host = 0, 0
        self.log: list[str] = []
        self._lock = threading.Lock()

    def take(self, device: int = 0, host: int = 0) -> None:
        with self._lock:
            self.device += device
            self.host += host
            assert 0 <= self.device <= self.device_bytes
            assert 0 <= self.host <= self.host_bytes


class FakeModel:
    """A model that only takes memory; moving it while it is used is a failure."""

    def __init__(self, machine: Machine, name: str, weights_bytes: int) -> None:
        self.machine, self.name, self.weights_bytes = machine, name, weights_bytes
        self.place, self.users = Place.NOWHERE, 0
        self.fails: Callable[[], None] = lambda: None

    def to_device(self) -> None:
        assert self.place is not Place.DEVICE
        self.machine.log.append(f"load {self.name}")
        self.fails()
        self.machine.take(self.weights_bytes, -self.weights_bytes if self.place is Place.HOST else 0)
        self.place = Place.DEVICE

    def to_host(self) -> None:
        assert self.place is Place.DEVICE and not self.users
        self.machine.log.append(f"park {self.name}")
        self.fails()
        self.machine.take(-self.weights_bytes, self.weights_bytes)
        self.place = Place.HOST

    def free(self) -> None:
        assert not self.users
        self.machine.log.append(f"free {self.name}")
        on = {Place.DEVICE: (-self.weights_bytes, 0), Place.HOST: (0, -self.weights_bytes)}
        self.machine.take(*on.get(self.place, (0, 0)))
        self.place = Place.NOWHERE


def small(*sizes: int, budget: int = 10, host: int = 0) -> tuple[Machine, Arbiter, list[FakeModel]]:
    """A machine, its arbiter, and models a, b, c... of these sizes."""
    machine = Machine(budget, host)
    models = [FakeModel(machine, name, size) for name, size in zip("abcdef", sizes, strict=False)]
    return machine, Arbiter(budget, host), models


def test_least_recently_used_leaves_first() -> None:
    """Who was used longest ago makes room, not who came first."""
    machine, arbiter, (a, b, c) = small(4, 4, 4)
    for model in (a, b, a, c):
        with arbiter.using(model) as held:
            assert held.place is Place.DEVICE
    assert machine.log == ["load a", "load b", "free b", "load c"]


def test_host_takes_what_leaves_while_its_budget_lasts() -> None:
    """A model is parked when the host has room, and freed when not; a parked one is not loaded from disk."""
    machine, arbiter, (a, b, c) = small(6, 6, 6, host=7)
    for model in (a, b, c, a):
        with arbiter.using(model):
            pass
    assert machine.log == ["load a", "park a", "load b", "free b", "load c", "free c", "load a"]
    assert arbiter.held() == (HeldModel("a", Place.DEVICE, 6, 0),)


def test_only_as_many_leave_as_have_to() -> None:
    """Room that is free is used before anybody is sent away; working memory counts while it is in use."""
    machine, arbiter, (a, b, c) = small(3, 3, 3)
    for model in (a, b):
        with arbiter.using(model, 1):
            pass
    with arbiter.using(c, 1):
        assert machine.log == ["load a", "load b", "load c"]
    with arbiter.using(c, 2):
        assert machine.log[3:] == ["free a"]


def test_one_model_has_several_users() -> None:
    """Two uses of one model share its weights; it stays as long as one of them does."""
    _, arbiter, (a, b) = small(6, 6)
    with arbiter.using(a, 2), arbiter.using(a, 2):
        assert arbiter.held() == (HeldModel("a", Place.DEVICE, 6, 2),)
    with arbiter.using(b):
        assert [one.name for one in arbiter.held()] == ["b"]


def test_what_never_fits_is_refused_with_what_to_do() -> None:
    """The message names the model, what it needs, what is there, the budget, and the setting."""
    machine, arbiter, (a, b) = small(2 * GIB, 12 * GIB, budget=11 * GIB)
    with arbiter.using(a):
        pass
    with pytest.raises(DeviceMemoryError) as caught, arbiter.using(b, GIB // 2):
        pass
    for words in (
        '"b" needs 12.5 GiB',
        "12.0 GiB of weights",
        "512 MiB to work in",
        '"a" 2.0 GiB',
        "11.0 GiB",
    ):
        assert words in str(caught.value)
    assert "device.memory_mb" in str(caught.value)
    assert machine.log == ["load a"]
    assert [one.name for one in arbiter.held()] == ["a"]


@pytest.mark.parametrize("make", [lambda: Arbiter(-1), lambda: Arbiter(1, -1)])
def test_budgets_are_not_negative(make: Callable[[], Arbiter]) -> None:
    """Nonsense is refused where it is said."""
    with pytest.raises(ValueError, match="negative"):
        make()


def test_working_memory_is_not_negative() -> None:
    """A negative need would let others pass the budget."""
    _, arbiter, (a,) = small(1)
    with pytest.raises(ValueError, match="working_bytes"), arbiter.using(a, -1):
        pass


def test_nested_use_that_cannot_end_is_refused() -> None:
    """A thread that holds the room it asks for would wait for itself."""
    machine, arbiter, (a, b) = small(6, 6)
    with arbiter.using(a):
        with pytest.raises(DeviceMemoryError, match='"a" is held by the thread that asks'), arbiter.using(b):
            pass
        assert a.place is Place.DEVICE
    with arbiter.using(b):
        pass
    assert machine.log == ["load a", "free a", "load b"]


def test_nested_use_that_fits_is_fine() -> None:
    """Two models of one thread may be there together."""
    _, arbiter, (a, b) = small(5, 5)
    with arbiter.using(a), arbiter.using(b), arbiter.using(a):
        assert (a.place, b.place) == (Place.DEVICE, Place.DEVICE)


def test_model_that_asks_while_it_is_moved_is_refused() -> None:
    """Loading one model must not ask for another: the arbiter would wait for itself."""
    _, arbiter, (a, b) = small(1, 1)
    a.fails = lambda: arbiter.using(b).__enter__()
    with pytest.raises(RuntimeError, match='"b" was asked of the arbiter by a model that it is moving'):
        arbiter.using(a).__enter__()
    a.fails = arbiter.clear
    with pytest.raises(RuntimeError, match="everything"):
        arbiter.using(a).__enter__()
    assert arbiter.held() == ()


def _raise(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", [MemoryError("out of memory"), KeyboardInterrupt()])
def test_failed_load_leaves_no_trace(error: BaseException) -> None:
    """A model that could not be loaded is freed, holds nothing, and can be asked for again."""
    machine, arbiter, (a, b) = small(6, 6, host=6)
    with arbiter.using(a):
        pass
    b.fails = _raise(error)
    with pytest.raises(type(error)), arbiter.using(b):
        pass
    assert arbiter.held() == (HeldModel("a", Place.HOST, 6, 0),)
    b.fails = lambda: None
    with arbiter.using(b):
        assert (machine.device, machine.host) == (6, 6)
    assert machine.log == ["load a", "park a", "load b", "free b", "load b"]


def test_model_that_cannot_be_parked_is_freed() -> None:
    """A host that is short after all costs a load from disk, not the answer."""
    machine, arbiter, (a, b) = small(6, 6, host=6)
    with arbiter.using(a):
        pass
    a.fails = _raise(MemoryError())
    with arbiter.using(b):
        assert machine.log == ["load a", "park a", "free a", "load b"]


def test_clear_frees_all_but_what_is_in_use() -> None:
    """Closing gives the memory back, on the device and on the host."""
    machine, arbiter, (a, b, c) = small(4, 6, 4, host=20)
    for model in (a, b, c):
        with arbiter.using(model):
            pass
    with arbiter.using(c):
        arbiter.clear()
        assert arbiter.held() == (HeldModel("c", Place.DEVICE, 4, 1),)
    arbiter.clear()
    assert (machine.device, machine.host, arbiter.held()) == (0, 0, ())


def _finish(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_waits_until_room_is_given_back() -> None:
    """Another thread's model is not taken away; the wait ends when it leaves."""
    machine, arbiter, (a, b) = small(6, 6)
    got = threading.Event()

    def use_b() -> None:
        with arbiter.using(b):
            got.set()

    waiter = threading.Thread(target=use_b)
    with arbiter.using(a):
        waiter.start()
        assert not got.wait(0.05)
        assert a.place is Place.DEVICE
    _finish(waiter)
    assert machine.log == ["load a", "free a", "load b"]


def test_threads_that_would_wait_for_each_other_are_told() -> None:
    """Each holds what the other needs: the last to ask is refused, the other gets its turn."""
    _, arbiter, (a, b) = small(3, 3)
    both_in = threading.Barrier(2)
    told: list[str] = []

    def use(first: FakeModel, second: FakeModel) -> None:
        with arbiter.using(first, 2):
            both_in.wait(20)
            try:
                with arbiter.using(second, 2):
                    pass
            except DeviceMemoryError as error:
                told.append(str(error))

    threads = [threading.Thread(target=use, args=pair) for pair in ((a, b), (b, a))]
    for thread in threads:
        thread.start()
    _finish(*threads)
    assert len(told) == 1
    assert '"a", "b" is held by threads that wait for each other' in told[0]


def test_users_come_while_another_model_is_moved() -> None:
    """Loading one model does not stop those whose model is there already."""
    _, arbiter, (a, b) = small(3, 3)
    loading, finish = threading.Event(), threading.Event()

    def wait() -> None:
        loading.set()
        assert finish.wait(20)

    b.fails = wait
    with arbiter.using(a):
        pass
    thread = threading.Thread(target=lambda: arbiter.using(b).__enter__())
    thread.start()
    assert loading.wait(20)
    with arbiter.using(a):
        finish.set()
    _finish(thread)


@pytest.mark.parametrize("seed", range(60))
def test_random_traces_keep_the_budget(seed: int) -> None:
    """Whatever is asked in whatever order, memory is never passed and what is in use is never moved."""
    chance = random.Random(seed)
    budget, host = chance.randint(5, 20), chance.choice([0, 0, 6, 15])
    machine, arbiter, models = small(*(chance.randint(1, 9) for _ in range(6)), budget=budget, host=host)
    held: list[tuple[FakeModel, ExitStack]] = []
    for _ in range(150):
        if held and chance.random() < 0.5:
            model, stack = held.pop(chance.randrange(len(held)))
            model.users -= 1
            stack.close()
        else:
            model, working = chance.choice(models), chance.randint(0, 3)
            model.fails = _raise(OSError()) if chance.random() < 0.1 else lambda: None
            stack = ExitStack()
            try:
                stack.enter_context(arbiter.using(model, working))
            except (DeviceMemoryError, OSError):
                pass
            else:
                machine.take(working)
                stack.callback(machine.take, -working)
                model.users += 1
                held.append((model, stack))
        assert all(model.place is Place.DEVICE for model, _ in held)
        for one in arbiter.held():
            (model,) = [model for model in models if model.name == one.name]
            assert (model.place, model.users) == (one.place, one.users)
    assert sum(model.weights_bytes for model in models if model.place is Place.HOST) == machine.host


@pytest.mark.parametrize("seed", range(8))
def test_random_threads_keep_the_budget_and_all_finish(seed: int) -> None:
    """Many threads, nested uses: memory is never passed, and every thread comes to its end."""
    machine, arbiter, models = small(3, 4, 5, 6, 2, budget=12, host=6)
    counts = threading.Lock()
    problems: list[BaseException] = []

    def work(number: int) -> None:
        chance = random.Random(seed * 100 + number)
        for _ in range(40):
            with ExitStack() as stack:
                for model in chance.sample(models, chance.choice([1, 1, 2])):
                    working = chance.randint(0, 2)
                    try:
                        stack.enter_context(arbiter.using(model, working))
                    except DeviceMemoryError:
                        break
                    machine.take(working)
                    stack.callback(machine.take, -working)
                    with counts:
                        model.users += 1
                    stack.callback(release, model)
                    assert model.place is Place.DEVICE

    def release(model: FakeModel) -> None:
        with counts:
            model.users -= 1

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 -- an assertion in a thread must reach the test
            problems.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    _finish(*threads)
    assert not problems
    arbiter.clear()
    assert (machine.device, machine.host) == (0, 0)
