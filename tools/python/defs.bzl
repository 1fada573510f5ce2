"""Python in this repository: tools for actions, and pytest tests."""

load("@rules_python//python:defs.bzl", "py_test")
load(":python_tool.bzl", _PYTHON_TOOLCHAIN = "PYTHON_TOOLCHAIN", _PythonToolInfo = "PythonToolInfo", _RUNTIME_ATTRS = "RUNTIME_ATTRS", _python_tool = "python_tool", _run_python_tool = "run_python_tool", _runtime_folder = "runtime_folder")

PYTHON_TOOLCHAIN = _PYTHON_TOOLCHAIN
PythonToolInfo = _PythonToolInfo
python_tool = _python_tool
run_python_tool = _run_python_tool
RUNTIME_ATTRS = _RUNTIME_ATTRS
runtime_folder = _runtime_folder

def pytest_test(name, srcs, deps = [], size = "small", **kwargs):
    """A test that runs pytest over its sources with the locked Python.

    Args:
      name: the target's name.
      srcs: the `*_test.py` files.
      deps: py_library targets that they import.
      size: Bazel's test size.
      **kwargs: what else py_test takes.
    """
    py_test(
        name = name,
        size = size,
        srcs = srcs + ["//tools/python:pytest_main.py"],
        main = "//tools/python:pytest_main.py",
        args = kwargs.pop("args", []) + ["$(rootpath {})".format(src) for src in srcs],
        deps = deps + ["@tool_runtime//:pytest"],
        **kwargs
    )
