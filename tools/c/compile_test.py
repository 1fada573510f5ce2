"""The compiler's command line, and what is said when it fails."""

from tools.c.compile import command, failure_text


def test_a_program_is_static() -> None:
    words = command(["a/main.c"], ["a", "b"], ["mnl"], "/out/p", sanitize=False)
    assert words[0] == "cc" and words[-6:] == ["-Ia", "-Ib", "a/main.c", "-lmnl", "-o", "/out/p"]
    assert "-static" in words and "-Werror" in words and "-Wdate-time" in words


def test_a_sanitized_program_is_not() -> None:
    words = command(["main.c"], [], [], "/out/p", sanitize=True)
    assert "-static" not in words and "-fsanitize=address,undefined" in words


def test_the_first_error_comes_first() -> None:
    said = "a.c: In function 'f':\na.c:3:9: error: 'x' undeclared\n    3 | return x;\n"
    assert failure_text("//p:p", said).splitlines() == [
        "//p:p doesn't compile: a.c:3:9: error: 'x' undeclared",
        *said.splitlines(),
    ]
    said = "/usr/bin/ld: a.o: in function `main':\na.c:(.text+0x5): undefined reference to `g'\n"
    assert failure_text("//p:p", said).startswith("//p:p doesn't compile: a.c:(.text+0x5): undefined reference")
    assert failure_text("//p:p", "killed\n") == "//p:p doesn't compile: the compiler failed\nkilled"
