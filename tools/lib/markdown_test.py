"""Tables in Markdown."""

from tools.lib.markdown import table


def test_columns_are_aligned() -> None:
    assert table([("kernel", "s"), ("a", "12"), ("b", "")]) == (
        "| kernel | s   |\n"
        "| ------ | --- |\n"
        "| a      | 12  |\n"
        "| b      |     |\n"
    )
