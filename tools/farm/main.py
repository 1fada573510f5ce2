"""The farm's command line: //farm:up and the others (_COMMANDS)."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.farm import control, deployment, status
from tools.farm.certificates import DAYS, make_certificate
from tools.farm.check import check_server
from tools.farm.configuration import secret
from tools.farm.root import Roots
from tools.farm.settings import DEFAULT_PORT, LOOPBACK, Settings, State, default_state
from tools.farm.token import ROLES, make_token
from tools.farm.verify import TARGETS, Request, Verifier, report
from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

_UNITS = {"M": 10**6, "G": 10**9, "T": 10**12}


def parse_size(text: str) -> int:
    """Bytes, from a number with M, G or T (powers of ten) behind it."""
    number, unit = text[:-1], text[-1:].upper()
    if unit not in _UNITS or not number.isdigit() or int(number) == 0:
        raise argparse.ArgumentTypeError(f"expected a size such as 500M, 50G or 2T, got {text!r}")
    return int(number) * _UNITS[unit]


def absolute(path: str) -> str:
    """A path as the user meant it, who is in another folder; "" stays as it is."""
    return str(Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."), path).absolute()) if path else ""


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        workers=options.workers,
        port=options.port,
        listen=options.listen,
        name=options.name,
        tls=options.tls,
        tls_certificate=absolute(options.tls_certificate),
        tls_key=absolute(options.tls_key),
        tls_authority=absolute(options.tls_authority),
        server=options.server,
        token=absolute(options.token),
        properties=tuple(options.property),
        cache_size=options.cache_size,
    )


def _up(options: argparse.Namespace, package: control.Package, state: State) -> int:
    settings = _settings(options)
    print(control.up(settings, state, package))
    print(f"logs: {state.logs}; stop it with: ./bazelw run //farm:down")
    if not settings.server:
        print("use it with: ./bazelw build --config=farm TARGETS, or --config=cache for the cache alone")
        if lines := bazelrc(settings, state):
            print("and in user.bazelrc:")
            print("\n".join(f"  {line}" for line in lines))
    return 0


def bazelrc(settings: Settings, state: State) -> list[str]:
    """What user.bazelrc must say so that Bazel finds the farm; nothing when .bazelrc does already."""
    if settings.address == f"grpc://{LOOPBACK}:{DEFAULT_PORT}":
        return []
    lines = [f"common:cache --remote_cache={settings.address}", f"common:farm --remote_executor={settings.address}"]
    if settings.secured:
        authority = str(state.own_certificate / "authority.crt") if settings.tls else settings.tls_authority
        lines.append(f"common --tls_certificate={authority}")
        lines.append(f"common --credential_helper={settings.name}=%workspace%/farm/credential_helper")
    return lines


def _certificate(options: argparse.Namespace, package: control.Package, state: State) -> int:
    output = Path(absolute(options.output))
    roots = control.unpack_roots(state, package)
    make_certificate(roots, package.tool, state, output, options.name, options.days)
    print(f"{output}: tls.crt and tls.key for {', '.join(options.name)}; authority.crt is what clients trust")
    return 0


def _down(_options: argparse.Namespace, _package: control.Package, state: State) -> int:
    print(control.down(state))
    return 0


def _status(options: argparse.Namespace, _package: control.Package, state: State) -> int:
    content = status.gather(state, running_roots(state))
    print(json.dumps(content, indent=2) if options.json else status.text(content))
    return 0 if content["running"] else 1


def running_roots(state: State) -> Roots | None:
    """The roots of the farm that runs there, from its folder; None when there are none."""
    found = [next((state / f"roots/{name}").glob("[0-9a-f]*"), None) for name in ("server", "worker")]
    return Roots(found[0], found[1]) if found[0] and found[1] else None


def _token(options: argparse.Namespace, _package: control.Package, state: State) -> int:
    output = Path(absolute(options.output))
    state.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secret(state.secrets / "token.key")
    token = make_token(key, options.role, options.name, int(time.time()), int(options.days * 86400))
    write_atomically(output, token, 0o600)
    until = time.strftime("%Y-%m-%d", time.gmtime(time.time() + options.days * 86400))
    print(f"{output}: a {options.role}'s token for {options.name}, valid until {until}")
    return 0


def _check(options: argparse.Namespace, package: control.Package, state: State) -> int:
    roots = control.unpack_roots(state, package)
    authority, token = absolute(options.tls_authority), absolute(options.token)
    print(check_server(roots, package.tool, state, options.address, authority, token))
    return 0


def _configuration(options: argparse.Namespace, package: control.Package, _state: State) -> int:
    output = Path(absolute(options.output))
    message = deployment.write_deployment(options.role, _settings(options), package.templates, output)
    layers = package.server if options.role == "server" else package.worker
    deployment.write_root(package.runtime / "bin/tar", layers, output)
    print(message)
    return 0


def _verify(options: argparse.Namespace, _package: control.Package, state: State) -> int:
    workspace = os.environ.get("BUILD_WORKSPACE_DIRECTORY", "")
    if not workspace:
        raise UserError("run this as: ./bazelw run //farm:verify")
    request = Request(tuple(options.targets), options.sample, options.seed, options.config, tuple(options.option))
    verifier = Verifier(Path(workspace), state)
    targets = verifier.choose(request)
    compared, found = verifier.compare(request, targets)
    print(report(targets, compared, found))
    return 1 if found else 0


_COMMANDS: dict[str, Callable[[argparse.Namespace, control.Package, State], int]] = {
    "certificate": _certificate,
    "check": _check,
    "configuration": _configuration,
    "up": _up,
    "verify": _verify,
    "down": _down,
    "status": _status,
    "token": _token,
}


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"farm:{command}", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--state", metavar="DIR", default="", help="the farm's folder; by default in the user's cache")
    if command == "configuration":
        parser.add_argument("role", choices=deployment.ROLES)
        parser.add_argument("--output", required=True, metavar="DIR", help="a new folder; the others are //farm:up's")
    if command in ("configuration", "up"):
        parser.add_argument("--workers", type=int, default=os.cpu_count(), help="actions at once; 0: a cache alone")
        parser.add_argument("--port", type=int, default=DEFAULT_PORT)
        parser.add_argument("--listen", default=LOOPBACK, metavar="ADDRESS", help="others than loopback need TLS")
        parser.add_argument("--name", default="localhost", help="the host name in the certificate")
        parser.add_argument("--tls", action="store_true", help="TLS by a certificate of the farm's own, and tokens")
        parser.add_argument("--tls-certificate", default="", metavar="FILE", help="PEM; clients then need tokens")
        parser.add_argument("--tls-key", default="", metavar="FILE")
        parser.add_argument("--tls-authority", default="", metavar="FILE", help="what the certificate is signed by")
        parser.add_argument("--server", default="", metavar="URL", help="only workers, for this other farm")
        parser.add_argument("--token", default="", metavar="FILE", help="with --server: the worker's token")
        parser.add_argument("--property", action="append", default=[], metavar="KEY=VALUE", help="workers have this")
        parser.add_argument("--cache-size", type=parse_size, default=50 * 10**9, metavar="SIZE", help="such as 50G")
    elif command == "status":
        parser.add_argument("--json", action="store_true")
    elif command == "check":
        parser.add_argument("address", help="grpc://HOST:PORT or grpcs://HOST:PORT")
        parser.add_argument("--tls-authority", default="", metavar="FILE", help="what the certificate is signed by")
        parser.add_argument("--token", default="", metavar="FILE")
    elif command == "certificate":
        parser.add_argument("--name", action="append", required=True, help="the server's host name or address; several")
        parser.add_argument("--days", type=int, default=DAYS)
        parser.add_argument("--output", required=True, metavar="DIR", help="for tls.crt, tls.key, authority.crt")
    elif command == "token":
        parser.add_argument("--role", required=True, help=", ".join(ROLES))
        parser.add_argument("--name", required=True, help="whose it is")
        parser.add_argument("--days", type=float, default=30)
        parser.add_argument("--output", required=True, metavar="FILE", help="the token is written there, for its owner")
    elif command == "verify":
        parser.add_argument("targets", nargs="*", default=[], metavar="TARGET", help=f"by default modules of {TARGETS}")
        parser.add_argument("--sample", type=int, default=1, help="how many targets, chosen at random; 0: all")
        parser.add_argument("--seed", type=int, default=int(time.time()), help="what the choice starts from")
        parser.add_argument("--config", default="cache", choices=["cache", "reader"], help="of .bazelrc")
        parser.add_argument("--option", action="append", default=[], help="a further word for Bazel: --option=--WORD")
    return parser


def main(arguments: Sequence[str]) -> int:
    """COMMAND, the places of what `bazel run` brings, "--", and the user's words."""
    places = argparse.ArgumentParser()
    places.add_argument("command", choices=list(_COMMANDS))
    places.add_argument("--runtime", type=Path, required=True)
    places.add_argument("--server-layer", type=Path, action="append", default=[])
    places.add_argument("--worker-layer", type=Path, action="append", default=[])
    places.add_argument("--templates", type=Path, required=True)
    split = arguments.index("--")
    given = places.parse_args(arguments[:split])
    options = _parser(given.command).parse_args(arguments[split + 1 :])
    package = control.Package(
        runtime=given.runtime.absolute(),
        server=tuple(given.server_layer),
        worker=tuple(given.worker_layer),
        templates=given.templates,
        tool=Path(sys.path[0]),
    )
    state = State(Path(absolute(options.state)) if options.state else default_state())
    try:
        return _COMMANDS[given.command](options, package, state)
    except PermissionError as error:
        raise UserError(f"{error.filename}: {error.strerror}; give --state DIR that you may write") from error


if __name__ == "__main__":
    run(main)
