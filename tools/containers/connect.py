"""The registry that the environment names."""

import os
from pathlib import Path

from tools.containers.credentials import find_credentials
from tools.containers.reference import find_registry
from tools.containers.registry import Registry

AUTHORITY = "REGISTRY_CA_FILE"


def open_registry(actions: str) -> Registry:
    """The registry, when it answers and lets this user in; `actions` are those that are wanted, such as "pull,push".

    Raises UserError otherwise.
    """
    address = find_registry()
    authority = os.environ.get(AUTHORITY, "")
    credentials = find_credentials(address.host)
    registry = Registry(address, credentials, str(place(authority)) if authority else "", actions=actions)
    registry.ping()
    return registry


def place(name: str) -> Path:
    """A path as the user means it: `bazel run` starts in another folder."""
    return Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."), name)
