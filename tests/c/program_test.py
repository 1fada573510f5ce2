"""Programs that user_program makes, and what is said of sources that don't compile: in the real root."""

import os
import subprocess
from pathlib import Path

PROGRAMS = {name: Path(os.environ[name]).absolute() for name in ("HELLO", "OVERRUN", "SANITIZED")}
COMPILE = Path("tools/c/compile.pyz").absolute()
RUN_IN_ROOT = Path("tools/roots/run_in_root.pyz").absolute()
ROOT = Path("roots/userspace.tar").absolute()
RUNTIME = Path("../tool_runtime").absolute()


def in_root(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """run_in_root with these words after its layers; works in `folder`."""
    command = [RUNTIME / "bin/python3", "-ISB", RUN_IN_ROOT, "--runtime", RUNTIME, "--layer", f"{ROOT}=/", *words]
    return subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)


def compiled(folder: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Compile a text as the rule would; what it leaves is `folder`/program."""
    folder.mkdir(exist_ok=True)
    (folder / "main.c").write_text(text)
    start: list[str | Path] = ["--tool", COMPILE, "--input", f"{folder}/main.c=/build/net/main.c"]
    start += ["--output", f"program={folder}/program", "--", "--target", "//net:p", "--output", "/out/program"]
    return in_root(folder, *start, "--source", "net/main.c", *words)


def test_a_program_runs_anywhere() -> None:
    done = subprocess.run([PROGRAMS["HELLO"]], env={}, capture_output=True, text=True, check=True)
    assert done.stdout == "a netlink header has bytes: 16\n"
    # No section names a dynamic loader.
    assert b".interp" not in PROGRAMS["HELLO"].read_bytes()


def test_a_sanitized_program_stops_at_the_fault(tmp_path: Path) -> None:
    assert subprocess.run([PROGRAMS["OVERRUN"]], check=False).returncode == 0
    done = in_root(tmp_path, "--input", f"{PROGRAMS['SANITIZED']}=/program", "--", "/program")
    assert done.returncode != 0
    assert "tests/c/overrun.c:9" in done.stderr


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    text = "int main(void) { return 0; }\n"
    for name in ("one", "two"):
        assert compiled(tmp_path / name, text).returncode == 0
    assert (tmp_path / "one/program").read_bytes() == (tmp_path / "two/program").read_bytes()


def test_an_error_names_file_and_line(tmp_path: Path) -> None:
    done = compiled(tmp_path, "int main(void)\n{\n\treturn undeclared;\n}\n")
    assert done.returncode == 1
    first = done.stderr.splitlines()[0]
    assert first.startswith("error: //net:p doesn't compile: net/main.c:3:16: error: 'undeclared' undeclared")
    assert "Traceback" not in done.stderr and not (tmp_path / "program").exists()


def test_a_warning_is_an_error(tmp_path: Path) -> None:
    done = compiled(tmp_path, "int main(void) { int unused; return 0; }\n")
    assert "net/main.c:1:22: error: unused variable" in done.stderr.splitlines()[0]
    done = compiled(tmp_path, "const char *built(void);\nconst char *built(void) { return __DATE__; }\n")
    assert "net/main.c:2:" in done.stderr.splitlines()[0] and "reproducible" in done.stderr


def test_a_library_that_the_root_lacks(tmp_path: Path) -> None:
    done = compiled(tmp_path, "int main(void) { return 0; }\n", "--library", "nosuch")
    assert "cannot find -lnosuch" in done.stderr.splitlines()[0]
