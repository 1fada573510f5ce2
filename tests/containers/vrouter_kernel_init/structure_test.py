"""What the image holds and says, without a daemon."""

import os

from tests.containers.built_image import Image

IMAGE = Image()
RELEASES = os.environ["RELEASES"].split()


def test_it_has_a_module_for_each_kernel() -> None:
    assert len(RELEASES) >= 3
    for release in RELEASES:
        module = IMAGE.read(f"/usr/lib/modules/{release}/updates/vrouter.ko")
        assert f"vermagic={release} ".encode() in module


def test_it_runs_its_entrypoint_as_root() -> None:
    assert IMAGE.config["User"] == "0:0"
    assert IMAGE.config["Entrypoint"] == ["/usr/local/bin/entrypoint.sh"]
    assert IMAGE.entry("/usr/local/bin/entrypoint.sh").mode == 0o755
    assert "/usr/sbin/modprobe" in IMAGE
