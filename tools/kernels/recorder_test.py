"""What is recorded of a real make, and how it is read."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.kernels.recorder import exported_variables, install, read_log, recipes

MAKEFILE = r"""
value := $(shell echo computed)
export EXPORTED := it's $(value)
all: a.o sub/b.o
%.o: %.c
	@cp $< $@ # -c -o $@
	@printf '%s %s\n' "two words" \
		and >> $@
sub/b.o: sub/b.c
	$(MAKE) -C sub b.o
"""
SUB = "b.o: b.c\n\t@cp $< $@ # -c -o $@\n"

needs_make = pytest.mark.skipif(not shutil.which("make"), reason="no make on this machine")


@needs_make
def test_each_line_of_each_target(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "Makefile").write_text(MAKEFILE)
    (tmp_path / "sub/Makefile").write_text(SUB)
    for name in ("a.c", "sub/b.c"):
        (tmp_path / name).write_text("c\n")
    words, log = install(tmp_path / "recorder")
    subprocess.run(["make", *words], cwd=tmp_path, check=True, env={"PATH": os.environ["PATH"]})
    assert (tmp_path / "a.o").read_text() == "c\ntwo words and\n"
    found = recipes(read_log(log.read_text()))
    assert sorted(found) == [
        (str(tmp_path), "a.o"),
        (str(tmp_path), "sub/b.o"),
        (str(tmp_path / "sub"), "b.o"),
    ]
    copy, append = found[str(tmp_path), "a.o"]
    assert copy.text == "cp a.c a.o # -c -o a.o"
    assert append.text == "printf '%s %s\\n' \"two words\" \\\n\tand >> a.o"
    assert exported_variables(copy.exported)["EXPORTED"] == "it's computed"
    assert append.exported == ""


def test_an_environment_as_a_shell_writes_it() -> None:
    text = "export A='x y'\nexport B='it'\"'\"'s\nlong'\nexport MAKEFLAGS='w'\nexport OLDPWD\n"
    assert exported_variables(text) == {"A": "x y", "B": "it's\nlong", "SHELL": "/bin/sh"}


def test_an_empty_log() -> None:
    assert read_log("") == []
