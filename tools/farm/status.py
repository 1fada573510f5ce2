"""What //farm:status shows: services, workers, queue, the cache's size and its hit rate."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from tools.farm.clean import cache_files
from tools.farm.control import read_services, supervisor_of
from tools.farm.root import INSIDE, Roots
from tools.farm.settings import Settings, State

# Stages of an operation as BuildGrid's table has them (ExecutionStage of the Remote Execution API).
_QUEUED, _EXECUTING = 2, 3
_WORKER_SECONDS = 60
_QUERY = f"""select json_build_object(
  'queued', (select count(*) from jobs where stage in (1, {_QUEUED})),
  'executing', (select count(*) from jobs where stage = {_EXECUTING}),
  'workers', (select coalesce(json_agg(json_build_object('name', bot_id, 'busy', capacity < max_capacity)
    order by bot_id), '[]') from bots where expiry_time > now() - interval '1 second'))"""
_LITTLE = 100_000_000  # bytes on the cache's disk


def gather(state: State, roots: Roots | None) -> dict[str, Any]:
    """Everything that is known, as `--json` prints it; without `roots` only what needs no program."""
    pid = supervisor_of(state)
    if not pid:
        return {"running": False, "state": str(state.folder)}
    settings = Settings.from_json(state.settings.read_text())
    said = read_services(state)
    files = cache_files(state / "cas")
    size = sum(file[1] for file in files)
    folder = state / "cas" if (state / "cas").exists() else state.folder
    free = shutil.disk_usage(folder).free
    content: dict[str, Any] = {
        "running": True,
        "phase": said.get("phase", ""),
        "address": settings.address,
        "state": str(state.folder),
        "services": said.get("services", {}),
        "cache": {"files": len(files), "bytes": size, "limit": settings.cache_size, "free": free},
    }
    if roots is not None and not settings.server:
        content |= _queue(state, roots) | {"actions": _actions(state, roots)}
    return content


def _ask(state: State, roots: Roots, *words: str, **environment: str) -> str:
    command = roots.enter(state.folder, words, environment=environment)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def _queue(state: State, roots: Roots) -> dict[str, Any]:
    answer = _ask(state, roots, "psql", "-h", f"{INSIDE}/run", "-d", "postgres", "-qtA", "-c", _QUERY)
    content: dict[str, Any] = json.loads(answer or '{"queued": null, "executing": null, "workers": []}')
    return content


def _actions(state: State, roots: Roots) -> dict[str, Any]:
    port = (state / "redis.port").read_text()
    password = (state.secrets / "redis.password").read_text()
    words = ("redis-cli", "-h", "127.0.0.1", "-p", port)
    lines = _ask(state, roots, *words, "info", "stats", REDISCLI_AUTH=password).splitlines()
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    hits, misses = int(found.get("keyspace_hits", 0)), int(found.get("keyspace_misses", 0))
    stored = _ask(state, roots, *words, "dbsize", REDISCLI_AUTH=password).strip()
    return {
        "stored": int(stored) if stored.isdigit() else None,
        "hits": hits,
        "misses": misses,
        "hit_rate": hits / (hits + misses) if hits + misses else None,
    }


def text(content: Mapping[str, Any]) -> str:
    """The same for a person."""
    if not content["running"]:
        return f"no farm is running ({content['state']}); start one with: ./bazelw run //farm:up"
    cache = content["cache"]
    lines = [f"farm {content['phase']}: {content['address']}, state and logs in {content['state']}"]
    if "queued" in content:
        busy = sum(worker["busy"] for worker in content["workers"])
        lines.append(f"queue:   {content['queued']} waiting, {content['executing']} executing")
        lines.append(f"workers: {len(content['workers'])}, of which {busy} busy")
        actions = content["actions"]
        rate = "no request yet" if actions["hit_rate"] is None else f"{100 * actions['hit_rate']:.0f}% hits"
        asked = actions["hits"] + actions["misses"]
        lines.append(f"actions: {actions['stored']} stored; since the start {asked} asked for, {rate}")
    size, limit, free = (cache[name] / 1e9 for name in ("bytes", "limit", "free"))
    lines.append(f"cache:   {size:.2f} GB in {cache['files']} files, of at most {limit:.0f} GB; {free:.1f} GB free")
    if cache["free"] < _LITTLE:
        lines.append("THE DISK IS FULL: make room, or start the farm with a smaller --cache-size")
    for name, record in content["services"].items():
        how = "running" if record["pid"] else "NOT RUNNING"
        ended = f"; ended before: {record['last_end']}" if record["last_end"] else ""
        lines.append(f"{name + ':':<11}{how}{ended}")
    return "\n".join(lines)
