"""What an SBOM and a provenance say."""

import json

from tools.containers.statements import Component, provenance, sbom

COMPONENTS = [
    Component("deb", "libstdc++6", "14.2.0-19", "amd64", "a" * 64, "roots/containers.lock.json"),
    Component("golang", "golang.org/x/net", "v0.1.0+incompatible", "", "d" * 64, "containers/x/go.lock.json"),
    Component("wheel", "redis", "5.0", "any", "b" * 64, "roots/x.requirements.txt"),
]
DIGEST = f"sha256:{'c' * 64}"


def test_the_sbom_has_every_component() -> None:
    found = json.loads(sbom("redis", "1", DIGEST, COMPONENTS))
    assert (found["spdxVersion"], found["SPDXID"], found["dataLicense"]) == ("SPDX-2.3", "SPDXRef-DOCUMENT", "CC0-1.0")
    image, deb, golang, wheel = found["packages"]
    assert image["checksums"][0]["checksumValue"] == "c" * 64
    assert deb["externalRefs"][0]["referenceLocator"] == "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64"
    assert golang["externalRefs"][0]["referenceLocator"] == "pkg:golang/golang.org/x/net@v0.1.0%2Bincompatible"
    assert wheel["externalRefs"][0]["referenceLocator"] == "pkg:pypi/redis@5.0"
    known = {"SPDXRef-DOCUMENT", *(package["SPDXID"] for package in found["packages"])}
    assert len(known) == 5
    for relation in found["relationships"]:
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= known
    assert sbom("redis", "1", DIGEST, COMPONENTS) == sbom("redis", "1", DIGEST, COMPONENTS[::-1])


def test_the_provenance() -> None:
    found = json.loads(provenance("redis", "//x:redis", DIGEST, COMPONENTS, {"commit": "abc"}))
    assert found["subject"] == [{"name": "redis", "digest": {"sha256": "c" * 64}}]
    definition = found["predicate"]["buildDefinition"]
    assert definition["externalParameters"] == {"target": "//x:redis", "flags": {"commit": "abc"}}
    assert [each["digest"]["sha256"] for each in definition["resolvedDependencies"]] == ["a" * 64, "d" * 64, "b" * 64]
