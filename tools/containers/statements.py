"""What an image says of its origin: an SBOM and a provenance, from the locks.

SBOM: SPDX 2.3, JSON (https://spdx.github.io/spdx-spec/v2.3/). Provenance: an in-toto statement 1.0 with SLSA provenance
1.0 (https://slsa.dev/spec/v1.0/provenance). Packages are named by package URLs
(https://github.com/package-url/purl-spec).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tools.containers.image_config import CREATED

_BUILD_TYPE = "urn:contrail-forge:container-image:1"
_BUILDER = "urn:contrail-forge:bazel"
_PURLS = {
    "deb": "pkg:deb/debian/{name}@{version}?arch={arch}",
    "golang": "pkg:golang/{name}@{version}",
    "oci": "pkg:oci/{name}@{version}?arch={arch}",
    "wheel": "pkg:pypi/{name}@{version}",
}


@dataclass(frozen=True, order=True)
class Component:
    """One locked file that an image is made of.

    `type` is deb, golang, oci (an image) or wheel, `lock` the lock's path in the repository.
    """

    type: str
    name: str
    version: str
    arch: str
    sha256: str
    lock: str

    @property
    def purl(self) -> str:
        """The package URL."""
        # The slashes of a Go module's path part namespace and name.
        name, version = quote(self.name, safe="/" if self.type == "golang" else ""), quote(self.version, safe="")
        return _PURLS[self.type].format(name=name, version=version, arch=self.arch)


def sbom(name: str, version: str, digest: str, components: Sequence[Component]) -> str:
    """The SBOM's text for the image with this manifest digest ("sha256:HEX")."""
    image: dict[str, Any] = {
        "SPDXID": "SPDXRef-image",
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "primaryPackagePurpose": "CONTAINER",
        "checksums": [_checksum(digest.removeprefix("sha256:"))],
    }
    packages = [_package(number, component) for number, component in enumerate(sorted(components))]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image")]
    relations += [("SPDXRef-image", "CONTAINS", package["SPDXID"]) for package in packages]
    return _json(
        {
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": "SPDXRef-DOCUMENT",
            "name": f"{name}-{version}",
            "documentNamespace": f"urn:contrail-forge:spdx:{name}:{digest}",
            "creationInfo": {"created": CREATED, "creators": ["Tool: contrail-forge"]},
            "packages": [image, *packages],
            "relationships": [
                {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
                for one, kind, other in relations
            ],
        }
    )


def _checksum(value: str) -> dict[str, str]:
    return {"algorithm": "SHA256", "checksumValue": value}


def _package(number: int, component: Component) -> dict[str, Any]:
    locator = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": component.purl}
    return {
        "SPDXID": f"SPDXRef-{component.type}-{number}",
        "name": component.name,
        "versionInfo": component.version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "checksums": [_checksum(component.sha256)],
        "externalRefs": [locator],
        "sourceInfo": f"locked in {component.lock}",
    }


def provenance(
    name: str, target: str, digest: str, components: Sequence[Component], flags: Mapping[str, str]
) -> str:
    """The statement's text; `flags` are the build settings that go into the image."""
    dependencies = [
        {"uri": component.purl, "digest": {"sha256": component.sha256}} for component in sorted(components)
    ]
    definition = {
        "buildType": _BUILD_TYPE,
        "externalParameters": {"target": target, "flags": dict(flags)},
        "resolvedDependencies": dependencies,
    }
    return _json(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {"buildDefinition": definition, "runDetails": {"builder": {"id": _BUILDER}}},
        }
    )


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2) + "\n"
