"""What vr says of command lines, as the built program: nothing here gets as far as the kernel module."""

import os
import subprocess
from pathlib import Path

import pytest

VR = Path(os.environ["VR"]).absolute()


def vr(*words: str | bytes, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run vr with these words."""
    return subprocess.run([VR, *words], input=stdin, capture_output=True, text=True, check=False)


WRONG = [
    ("", "no object given; vr --help lists them"),
    ("--json", "no object given; vr --help lists them"),
    ("vfi", "'vfi' is no object; there are: vif, nh, rt, mpls, drops, version, batch"),
    ("--vrf 1 vif", "--vrf: no option here; there are: --json, --help"),
    ("vif lst", "'lst' is nothing that vif does; there are: list, get, add, set, del"),
    ("rt list all", "'all': a value goes with an option, as in --field value"),
    ("vif add --vrf 1", "--name: required by 'vr vif add'"),
    ("vif add --colour red", "--colour: no option of 'vr vif add'; there are: --name, --ifindex, "),
    ("vif list --vrf 1", "--vrf: no option of 'vr vif list'; there are: --name, --ifindex, --json, --help"),
    ("vif add --rx-packets 1", "--rx-packets: no option of 'vr vif add'"),
    ("vif add --pad 1", "--pad: no option of 'vr vif add'"),
    ("vif add --", "--: no option of 'vr vif add'"),
    ("vif add --name=lo", "--name=lo: no option of 'vr vif add'"),
    ("vif add --nonzero", "--nonzero: no option of 'vr vif add'"),
    ("vif add --ifindex 0", "--ifindex: 0 is not a number from 1 to 4294967295"),
    ("vif add --ifindex 4294967296", "--ifindex: 4294967296 is not a number from 1 to 4294967295"),
    ("vif add --ifindex 1 --ifindex 1", "--ifindex: given twice"),
    ("vif add --ifindex 1 --name lo", "--name: give either --name or --ifindex"),
    ("vif add --ifindex 1 --vrf 300", "--vrf: 300 is not a number from 0 to 255"),
    ("vif add --ifindex 1 --vrf -1", "--vrf: -1 is not a number from 0 to 255"),
    ("vif add --ifindex 1 --vrf 1x", "--vrf: 1x is not a number from 0 to 255"),
    ("vif add --ifindex 1 --vrf 0x1", "--vrf: 0x1 is not a number from 0 to 255"),
    ("vif add --ifindex 1 --vrf 99999999999999999999999", "is not a number from 0 to 255"),
    ("vif add --ifindex 1 --type bridge", "--type: bridge is none of: host, virtual, fabric"),
    ("vif add --ifindex 1 --vrf", "--vrf: needs a value"),
    ("vif add --vrf --ifindex 1", "--vrf: needs a value"),
    ("vif set --ifindex 1", "--vrf: required by 'vr vif set'"),
    ("nh add --type discard", "--id: required by 'vr nh add'"),
    ("nh add --id 0", "--id: 0 is not a number from 1 to 4095"),
    ("nh add --id 1 --type broadcast", "--type: broadcast is none of: receive, encap, tunnel, discard"),
    ("nh add --id 1 --dmac 02:00:00:00:00", "--dmac: 02:00:00:00:00 is not a MAC address, such as 02:00:00:00:00:01"),
    ("nh add --id 1 --dmac 02:00:00:00:00:0g", "--dmac: 02:00:00:00:00:0g is not a MAC address"),
    ("nh add --id 1 --smac 02-00-00-00-00-01", "--smac: 02-00-00-00-00-01 is not a MAC address"),
    ("nh add --id 1 --smac 02:00:00:00:00:01:", "--smac: 02:00:00:00:00:01: is not a MAC address"),
    ("nh add --id 1 --local 10.0.0", "--local: 10.0.0 is not an IPv4 address, such as 10.0.1.2"),
    ("nh add --id 1 --remote ::1", "--remote: ::1 is not an IPv4 address"),
    ("nh add --id 1 --label 15", "--label: 15 is not a number from 16 to 1048575"),
    ("nh add --id 1 --users 5", "--users: no option of 'vr nh add'"),
    ("rt add --vrf 1 --prefix 10.0.1.0/24", "--nh: required by 'vr rt add'"),
    ("rt add --vrf 1 --nh 1", "--prefix: required by 'vr rt add'"),
    ("rt add --length 24", "--length: no option of 'vr rt add'; there are: --vrf, --prefix, --nh, --json, --help"),
    ("rt add --prefix 10.0.1.5/24", "--prefix: 10.0.1.5/24 has bits behind its length; that network is 10.0.1.0/24"),
    ("rt add --prefix 1.0.0.0/0", "--prefix: 1.0.0.0/0 has bits behind its length; that network is 0.0.0.0/0"),
    ("rt add --prefix 10.0.1.0", "--prefix: 10.0.1.0 is not ADDRESS/LENGTH, such as 10.0.1.0/24"),
    ("rt add --prefix 10.0.1.0/", "--prefix: 10.0.1.0/ is not ADDRESS/LENGTH"),
    ("rt add --prefix 10.0.1.0/33", "--prefix: 10.0.1.0/33 is not ADDRESS/LENGTH"),
    ("rt add --prefix /24", "--prefix: /24 is not ADDRESS/LENGTH"),
    ("rt add --prefix 10.0.1.0.0.0.0.0.0.0.0.0/24", "is not ADDRESS/LENGTH"),
    ("rt get --vrf 1 --address 10.0.0.1", "--address: no option of 'vr rt get'; there are: --vrf, --prefix,"),
    ("rt lookup --vrf 1", "--address: required by 'vr rt lookup'"),
    ("mpls add --label 16", "--nh: required by 'vr mpls add'"),
    ("mpls get", "--label: required by 'vr mpls get'"),
    ("drops get", "'get' is nothing that drops does; there are: list"),
    ("drops list --reason x", "--reason: no option of 'vr drops list'; there are: --nonzero, --json, --help"),
    ("batch", "batch: needs a file, or - for standard input"),
    ("batch a b", "'b': a value goes with an option"),
    ("batch --vrf 1", "--vrf: no option here; there are: --force, --json, --help"),
    ("batch /no/such/file", "batch: /no/such/file: No such file or directory"),
    ("batch /", "batch: reading /: Is a directory"),
]


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_a_wrong_command_line(line: str, message: str) -> None:
    done = vr(*line.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("vr: ") and message in done.stderr and done.stderr.count("\n") == 1


def test_very_long_words() -> None:
    for words in (["x" * 100_000], ["vif", "y" * 100_000], ["rt", "add", "--" + "z" * 100_000]):
        assert vr(*words).returncode == 2
    for option in ("--prefix", "--vrf", "--nh"):
        assert vr("rt", "add", option, "1" * 100_000).returncode == 2
    assert vr("vif", "add", "--name", "n" * 100_000).returncode == 1


def test_words_that_arent_text() -> None:
    assert subprocess.run([VR, b"\xff\xfe"], capture_output=True, check=False).returncode == 2
    assert vr("vif", "a\nb\x1b[1m").stderr.startswith("vr: 'a?b?[1m' is nothing that vif does;")
    assert vr("vif", "add", "--vrf", "").returncode == 2


def test_no_such_device() -> None:
    done = vr("vif", "add", "--name", "nosuchdevice")
    assert (done.returncode, done.stderr) == (1, "vr: --name: no network device 'nosuchdevice'\n")


def test_help_names_every_option_with_its_limits() -> None:
    assert "rt       IPv4 routes: list get lookup add replace del" in vr("--help").stdout
    text = vr("rt", "add", "--help").stdout
    assert "vr rt add --vrf VALUE --prefix ADDRESS/LENGTH --nh VALUE" in text
    assert "--vrf 0 to 255\n      the VRF whose table it is" in text
    assert "(--name NAME | --ifindex N)" in vr("vif", "--help").stdout
    assert "vr drops list [--nonzero]" in vr("drops", "--help").stdout
    assert "--force" in vr("batch", "--help").stdout


BATCH = """\
# a comment

vif add --name nosuchdevice   # and another
rt add --vrf 999
batch other
vif --help
vif list --json
"""


def test_a_batch_names_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "changes"
    file.write_text(BATCH)
    done = vr("batch", str(file))
    assert (done.returncode, done.stderr) == (1, f"vr: {file}:3: --name: no network device 'nosuchdevice'\n")
    done = vr("batch", "--force", str(file))
    assert done.returncode == 2
    assert done.stderr.splitlines()[1:] == [
        f"vr: {file}:4: --vrf: 999 is not a number from 0 to 255",
        f"vr: {file}:5: batch, --help and --json aren't for lines of a batch",
        f"vr: {file}:6: batch, --help and --json aren't for lines of a batch",
        f"vr: {file}:7: batch, --help and --json aren't for lines of a batch",
    ]


def test_a_batch_from_standard_input() -> None:
    assert vr("batch", "-").returncode == 0
    assert vr("batch", "-", "--json").stdout == "[]\n"
    done = vr("batch", "-", stdin="\r\n" + "word " * 65)
    assert (done.returncode, done.stderr) == (2, "vr: stdin:2: more than 64 words\n")
    done = vr("batch", "-", stdin="mpls add --label 1")
    assert done.stderr == "vr: stdin:1: --label: 1 is not a number from 16 to 1048575\n"


def test_an_output_that_cannot_be_written() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([VR, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "vr: writing the output: No space left on device\n")
