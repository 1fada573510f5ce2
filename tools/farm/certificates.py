"""//farm:certificate: the farm signs certificates for its servers, where nobody else does."""

import re
from collections.abc import Sequence
from pathlib import Path

from tools.farm.root import INSIDE, Roots
from tools.farm.settings import State
from tools.lib.errors import UserError

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-fA-F:]*:[0-9a-fA-F:]+")
_OUTPUT = "/tmp/certificate"
DAYS = 365


def make_certificate(
    roots: Roots, tool: Path, state: State, folder: Path, names: Sequence[str], days: int = DAYS
) -> None:
    """Write tls.crt, tls.key and authority.crt for a server of these names or addresses to `folder`.

    The authority is made with the first certificate and stays in the farm's folder. A certificate in `folder` for
    the same names that lasts 30 days yet is left as it is. Raises UserError for names that can't be.
    """
    for name in names:
        if not _NAME.fullmatch(name):
            raise UserError(f"--name {name}: expected a host name or an address, such as farm.example.org or 10.0.0.7")
    if days <= 0:
        raise UserError(f"--days {days}: expected 1 or more")
    for place in (state.secrets / "authority", folder):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    words = (f"{INSIDE}/secrets/authority", _OUTPUT, str(days), *names)
    roots.run_module(state.folder, tool, "make_certificate", words, ("--bind", str(folder), _OUTPUT))
