"""From a root's spec to its lock, by apt's own solver."""

from collections.abc import Sequence
from dataclasses import replace

from tools.lib.errors import UserError
from tools.lib.locks import Lock, Package
from tools.roots.apt import Apt
from tools.roots.spec import RootSpec, Wanted


def preferred_suites(suite: str) -> tuple[str, ...]:
    """A suite with its updates and its security archive; sid has neither."""
    return (suite,) if suite == "sid" else (suite, f"{suite}-updates", f"{suite}-security")


def resolve(spec: RootSpec, spec_sha256: str, apt: Apt) -> Lock:
    """The lock of a root. Raises UserError that names the package's place in the YAML."""
    base = _solve(spec, spec.packages, apt)
    packages = list(base)
    for extra, wanted in spec.extras.items():
        whole = _solve(spec, (*spec.packages, *wanted), apt)
        if missing := sorted({p.name for p in base} - {p.name for p in whole}):
            raise UserError(
                f"{wanted[0].place}: extras: {extra}: its packages push {', '.join(missing)} out of the root; "
                "make it a root of its own"
            )
        packages += [replace(package, layer=extra) for package in whole if package not in base]
    return Lock(
        name=spec.name, packages=tuple(packages), spec_sha256=spec_sha256, exclude=spec.exclude, links=spec.links
    )


def _solve(spec: RootSpec, wanted: Sequence[Wanted], apt: Apt) -> tuple[Package, ...]:
    suites = ", ".join((*preferred_suites(spec.suite), *spec.pockets))
    for package in wanted:
        if package.name not in apt.names:
            near = apt.near(package.name)
            hint = f"; near names: {', '.join(near)}" if near else ""
            raise UserError(f"{package.place}: no package '{package.name}' in {suites}{hint}")
    if not spec.dependencies:
        return apt.download([package.text for package in wanted])
    try:
        return apt.solve([package.text for package in wanted], spec.without)
    except UserError as error:
        raise UserError(
            f"{wanted[0].place}: the packages of '{spec.name}' can't be installed together from {suites}:\n{error}"
        ) from error
