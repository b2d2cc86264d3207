"""Drop files into an inbox and show what becomes of them, with the commands a user would type."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent.parent / ".demo" / "home"
DATAPORT = Path(sys.executable).with_name("dataport")
DEADLINE_S = 60.0
POLL_S = 0.05

_job = 0


def main() -> int:
    """Run the story; 0 when every step did what it should."""
    fresh_home()
    first_file()
    a_person_edits()
    newer_file()
    another_source()
    decide()
    take_back()
    take_out()
    say("That home stays where it is. Open it in the terminal UI with:")
    print(f"  make run\n  {shown('--home', str(HOME))}")
    return 0


def fresh_home() -> None:
    """Start from nothing."""
    say("A fresh home, with the sample files and an inbox for the CRM's exports")
    if HOME.exists():
        run("daemon", "stop", quiet=True, check=False)
        shutil.rmtree(HOME)
    run("init", "--sample", quiet=True)
    run("inboxes", "add", "fair", "--dataset", "leads", "--source", "fair")
    run("inboxes", "list")


def first_file() -> None:
    """A first export of the CRM arrives."""
    say("October's export is dropped into the inbox: bad rows are put aside, with their lines")
    job = drop("leads-crm-2026-10.csv", "sample-leads")
    expect(job["rows"]["rejected"] > 0, "some rows are rejected")
    expect(job["changes"]["inserted"] == job["rows"]["valid"], "every valid row is new")
    run("jobs", "rejects", str(job["job"]))


def a_person_edits() -> None:
    """Somebody corrects values in the store."""
    say("Somebody corrects two records here, in the store")
    run("edit", "leads", "L-1003", "phone=+1 202 555 0179", "notes=Rang back, new number.")
    run("edit", "leads", "L-1029", "job_title=Managing director")


def newer_file() -> None:
    """The same source sends a newer version."""
    say("November's export: what the CRM changed is merged, what both changed is asked about")
    job = drop("leads-crm-2026-11.csv", "sample-leads")
    expect(job["changes"]["updated"] > 0, "changes are merged without asking")
    expect(job["changes"]["conflicts"] > 0, "contradictions are queued")
    run("history", "leads", "L-1003")


def another_source() -> None:
    """Another source speaks of the same people."""
    say("A trade fair's list: other columns, no ids; its people are matched by e-mail")
    job = drop("leads-fair.csv", "fair")
    expect(job["changes"]["conflicts"] > 0, "contradictions with the CRM are queued")


def decide() -> None:
    """Settle one conflict."""
    say("What waits for a decision: last sent, in the store, in the file")
    run("conflicts", "list")
    waiting = ask("conflicts", "list")["items"]
    run("conflicts", "resolve", str(waiting[0]["id"]), "--take", "theirs")
    left = ask("conflicts", "list")["items"]
    expect(len(left) == len(waiting) - 1, "one conflict less")


def take_back() -> None:
    """Undo the fair's import."""
    say("The fair's list was a mistake: its commit is taken back, later work stays")
    fair = next(item for item in ask("log")["items"] if item["source"] == "fair")
    run("undo", str(fair["commit"]))
    run("log", "--limit", "10")
    say("The newest file dropped once more: its bytes are known, so nothing is done")
    drop("leads-crm-2026-11.csv", "sample-leads")


def take_out() -> None:
    """Export the result."""
    say("And out again")
    target = HOME.parent / "leads.csv"
    run("export", "leads", "--sort", "lead_id", "--to", str(target), "--overwrite")
    expect(target.stat().st_size > 0, "the export has rows")


def drop(name: str, inbox: str) -> dict[str, Any]:
    """Put a sample file into an inbox as a careful program would, and wait for its job."""
    global _job  # noqa: PLW0603 - the demo is one story, told once
    folder = HOME / "inbox" / inbox
    partial = folder / f".{name}.part"
    shutil.copyfile(HOME / "samples" / name, partial)
    partial.rename(folder / name)
    print(f"$ cp {name} {folder}/")
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        newest = ask("jobs", "list")["items"][:1]
        if newest and newest[0]["job"] > _job and newest[0]["status"] == "completed":
            _job = newest[0]["job"]
            run("jobs", "show", str(_job))
            return dict(newest[0])
        if newest and newest[0]["status"] in ("failed", "cancelled"):
            raise SystemExit(f"The import failed: {newest[0]['error']}")
        time.sleep(POLL_S)
    raise SystemExit(f"{name} was not imported within {DEADLINE_S:.0f} s.")


def ask(*words: str) -> Any:
    """What a command answers with --json."""
    command = [str(DATAPORT), "--home", str(HOME), "--json", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def run(*words: str, quiet: bool = False, check: bool = True) -> None:
    """A command and what it prints."""
    if not quiet:
        print(f"$ {shown(*words)}", flush=True)
    command = [str(DATAPORT), "--home", str(HOME), *words]
    subprocess.run(command, check=check, stdout=subprocess.DEVNULL if quiet else None)
    if not quiet:
        print(flush=True)


def shown(*words: str) -> str:
    """A command as a person would type it."""
    return shlex.join(["dataport", *words])


def say(text: str) -> None:
    """What happens next."""
    print(f"\n== {text}\n", flush=True)


def expect(is_true: bool, what: str) -> None:
    """End the demo with an error if a step did not do what it should."""
    if not is_true:
        raise SystemExit(f"Expected that {what}, and it is not so.")


if __name__ == "__main__":
    sys.exit(main())
