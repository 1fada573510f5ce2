"""What other modules see of a finished build."""

from pathlib import Path

from tools.kernels.build_module import merged_symvers


def test_exports_of_all_folders(tmp_path: Path) -> None:
    for folder, text in [
        ("b", "0x00000002\tb\tb/b\tEXPORT_SYMBOL\t\n"),
        ("a", "0x00000003\tc\ta/a\tEXPORT_SYMBOL\t\n0x00000009\ta\ta/a\tEXPORT_SYMBOL\t\n"),
        ("none", ""),
    ]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Module.symvers").write_text(text)
    assert [line.split("\t")[1] for line in merged_symvers(tmp_path, ["a/a", "b/b"]).splitlines()] == ["a", "b", "c"]
    assert merged_symvers(tmp_path / "none", ["a/a"]) == ""


def test_exports_of_a_module_that_isn_t_shipped_don_t_count(tmp_path: Path) -> None:
    lines = "0x1\tours\tsub/shipped\tEXPORT_SYMBOL\t\n0x2\ttheirs\tsub/helper\tEXPORT_SYMBOL\t\n"
    (tmp_path / "Module.symvers").write_text(lines)
    assert merged_symvers(tmp_path, ["sub/shipped"]) == lines.splitlines(keepends=True)[0]
