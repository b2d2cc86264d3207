"""What the measurements share: a daemon of one's own, samples of it, other processes, the table."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from dataport.client.api import Client
from dataport.core.paths import Home

ROOT = Path(__file__).parents[1]
"""Where `python -m benchmarks.NAME` finds its module."""

SAMPLE_S = 0.05

# A process begins with the peak of the one that starts it. This one is small, and so the peak
# that it reads of its only child is the child's own.
_LAUNCHER = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, capture_output=True, text=True)
seconds = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss, done.returncode,
    done.stdout, done.stderr]))
"""
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass
class Samples:
    """What was seen of a daemon every 50 ms while it worked."""

    status_s: list[float] = field(default_factory=list)
    """Seconds that GET /v1/status took, where it was asked for."""
    daemon_rss: int = 0
    """Peak bytes of the daemon."""
    worker_rss: int = 0
    """Peak bytes of its largest worker; the process that it was forked from is none."""
    both_rss: int = 0
    """Peak bytes of the daemon and all processes below it at one moment."""
    cpu_s: float = 0.0
    """Processor seconds of both, over all cores."""


@dataclass(frozen=True)
class Run:
    """A process from its start to its end."""

    seconds: float
    cpu_s: float
    """Processor seconds, over all cores."""
    peak: int
    """Most bytes of memory that it held at a time."""
    output: str


class NoRunError(Exception):
    """The process failed or was stopped; the message says which, in a few words."""


def row(name: str, value: str, note: str = "") -> None:
    """Print one line of the table."""
    print(f"{name:<46}{value:<44}{note}".rstrip(), flush=True)


def mib(size: int) -> str:
    """Bytes as people read them."""
    return f"{size / 2**20:,.0f} MiB"


def cost(done: Run) -> str:
    """What a process took, as people read it."""
    return f"{done.seconds:.2f} s, {done.cpu_s:.2f} CPU s, {mib(done.peak)}"


def ratio(seconds: float, floor: float) -> str:
    """A time beside the least that the work could take."""
    return f"{seconds / floor:.1f} x floor"


def run(
    command: Sequence[str | Path],
    limit_s: float,
    *,
    env: Mapping[str, str] | None = None,
    codes: Sequence[int] = (0,),
) -> Run:
    """Run `command` in a fresh process and measure it; `env` is added to the environment.

    Raises NoRunError when it takes longer than `limit_s` or exits with none of `codes`.
    """
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as launcher:
        try:
            answer, _ = launcher.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            raise NoRunError(f"stopped after {limit_s:.0f} s") from None
        finally:
            if launcher.poll() is None:
                # The process that it started belongs to its session.
                os.killpg(launcher.pid, signal.SIGKILL)
    seconds, cpu_s, peak, code, output, complaint = json.loads(answer)
    if code not in codes:
        raise NoRunError(f"exited {code}: {' '.join(complaint.split()[-12:])}")
    return Run(seconds, cpu_s, peak * _PEAK_UNIT, output)


@contextmanager
def running_daemon(
    directory: Path, definitions: Mapping[str, str] | None = None
) -> Iterator[Client]:
    """A client of a new home in `directory` whose daemon runs.

    `definitions` are datasets beside the shipped ones: by name, the text of the file.
    """
    home = Home.at(directory)
    command(home, "init")
    for name, text in (definitions or {}).items():
        (home.datasets / f"{name}.toml").write_text(text, encoding="utf-8")
    command(home, "daemon", "start")
    try:
        with Client(home, start=False) as client:
            yield client
    finally:
        command(home, "daemon", "stop")


def command(home: Home, *arguments: str) -> None:
    """Run `dataport` as a user would; its own message is shown if it fails."""
    dataport = Path(sys.executable).with_name("dataport")
    done = subprocess.run(
        [str(dataport), "--home", str(home.root), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"dataport {' '.join(arguments)} exited {done.returncode}:\n{done.stderr}")


@contextmanager
def sampled(client: Client, *, asks: bool = False) -> Iterator[Samples]:
    """Samples of the daemon, taken in a thread for as long as the block runs; complete after it.

    With `asks` it is asked for its status each time, which takes a little of its time.
    """
    samples, over = Samples(), threading.Event()
    daemon = psutil.Process(client.get("/v1/status")["pid"])
    before = cpu_seconds(daemon)
    thread = threading.Thread(target=_sample, args=(client, daemon, samples, over, asks))
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
        samples.cpu_s = cpu_seconds(daemon) - before


def _sample(
    client: Client, daemon: psutil.Process, samples: Samples, over: threading.Event, asks: bool
) -> None:
    while not over.wait(SAMPLE_S):
        if asks:
            began = time.perf_counter()
            client.get("/v1/status")
            samples.status_s.append(time.perf_counter() - began)
        own = resident(daemon)
        children = [resident(child) for child in daemon.children(recursive=True)]
        samples.daemon_rss = max(samples.daemon_rss, own)
        samples.worker_rss = max(samples.worker_rss, *children, 0)
        samples.both_rss = max(samples.both_rss, own + sum(children))


def cpu_seconds(process: psutil.Process) -> float:
    """Processor seconds of a process and of all that it started; 0 for one that has ended."""
    try:
        times = process.cpu_times()
        running = sum(cpu_seconds(child) for child in process.children())
    except psutil.NoSuchProcess:
        return 0.0
    ended = times.children_user + times.children_system
    return float(times.user + times.system + ended + running)


def resident(process: psutil.Process) -> int:
    """Bytes in memory; 0 for a process that has ended meanwhile."""
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
