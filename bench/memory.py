"""How much memory all processes hold together: at rest, and while messages pass through."""

from bench import wrk
from bench.databases import KINDS
from bench.gateway_run import Gateway, running
from bench.load import settled_memory, wait_final
from bench.table import Figure, Section, Target
from bench.workspace import Installation, Workspace

MIB = 2**20
AT_REST = Target(most=200)
GROWTH = Target(most=40)  # the bound that we state: caches and allocators fill up, then it stays
WARM = 20_000
CHUNK_SECONDS = 5


def measure(workspace: Workspace, kinds: list[str]) -> Section:
    """Pass 200,000 messages (20,000 with --quick) through and watch the memory."""
    total = 20_000 if workspace.quick else 200_000
    columns = [KINDS[kind] for kind in kinds]
    section = Section("memory", "Memory of all processes together (PSS)", columns)
    series = {}
    for kind in kinds:
        with workspace.trial(kind) as installation, running(installation.data, installation.store.url) as gateway:
            series[kind] = _watch(gateway, installation, total)
    every = [series[kind] for kind in kinds]

    def line(label: str, values: list[float], target: Target | None = None) -> None:
        targets = dict.fromkeys(range(len(kinds)), target) if target else {}
        section.figures.append(Figure(label, "MiB", tuple(value / MIB for value in values), targets))

    line("at rest", [points[0][1] for points in every], AT_REST)
    line("after the first messages", [points[1][1] for points in every])
    line("highest", [max(size for _, size in points) for points in every])
    line("at the end", [points[-1][1] for points in every])
    line("growth from the first messages to the end", [points[-1][1] - points[1][1] for points in every], GROWTH)
    for kind, points in series.items():
        steps = ", ".join(f"{count:,}: {size / MIB:.0f}" for count, size in points)
        section.notes.append(f"{KINDS[kind]}, MiB by messages passed: {steps}.")
    return section


def _watch(gateway: Gateway, installation: Installation, total: int) -> list[tuple[int, int]]:
    """Give (messages passed, bytes) at rest, after the first WARM messages, and after each further chunk."""
    roots = [*gateway.pids, *installation.store.pids]
    requests = wrk.gets(wrk.sendsms_paths(installation.accesses))
    points = [(0, settled_memory(roots))]
    passed, first = 0, 0
    while passed < total or len(points) < 3:
        wrk.run(gateway.url, requests, CHUNK_SECONDS, installation.data.parent, first)
        first += 500_000  # more than any thread can have counted in a chunk
        wait_final(installation.store)
        passed = installation.store.value("SELECT count(*) FROM message")
        if passed >= WARM or passed >= total // 4:
            points.append((passed, settled_memory(roots)))
    return points
