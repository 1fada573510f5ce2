"""More packages than layers that a runtime takes (127): the image loads, and every package is there."""

from pathlib import Path

from tests.containers.built_image import Image
from tests.containers.docker_client import loaded

IMAGE = Image()


def test_it_loads_and_has_every_package(tmp_path: Path) -> None:
    packages = {component["name"] for component in IMAGE.components}
    with loaded(IMAGE, tmp_path) as (client, _):
        layers = client.images.get(IMAGE.tag).attrs["RootFS"]["Layers"]
        listed = client.containers.run(IMAGE.tag, network_mode="none", remove=True).decode()
    assert len(layers) < 127 < len(packages)
    assert {line.removesuffix(".list").partition(":")[0] for line in listed.splitlines()} == packages
