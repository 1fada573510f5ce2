"""Tests of what the rules say of mistakes in BUILD files, and of ranges of kernel lines."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//kernels:defs.bzl", "supports")

def _failure_test_impl(ctx):
    env = analysistest.begin(ctx)
    for message in ctx.attr.messages:
        asserts.expect_failure(env, message)
    return analysistest.end(env)

_failure_test = analysistest.make(
    _failure_test_impl,
    attrs = {"messages": attr.string_list()},
    expect_failure = True,
)

def failure_test(name, messages, rule, **kwargs):
    """Declare a target that can't be analysed, and test what is said of it.

    Args:
      name: the test's name.
      messages: texts that the failure's message has.
      rule: the rule of the wrong target.
      **kwargs: the wrong target's attributes.
    """
    rule(
        name = name + ".wrong",
        tags = ["manual"],
        **kwargs
    )
    _failure_test(
        name = name,
        messages = messages,
        target_under_test = name + ".wrong",
    )

def _compilation_test_impl(ctx):
    env = analysistest.begin(ctx)
    actions = analysistest.target_actions(env)
    asserts.equals(env, ctx.attr.objects, "KernelObject" in [action.mnemonic for action in actions])
    (module,) = [action for action in actions if action.mnemonic == "KernelModule"]
    reason = "--//kernels:objects_from asks for more than its 2 C files"
    asserts.equals(env, not ctx.attr.objects, reason in module.argv)
    return analysistest.end(env)

def _compilation_test(objects_from):
    return analysistest.make(
        _compilation_test_impl,
        attrs = {"objects": attr.bool(doc = "Whether there are actions for single C files.")},
        config_settings = {str(Label("//kernels:objects_from")): objects_from},
    )

# The source under test has two C files.
objects_from_two_test = _compilation_test(2)
objects_from_three_test = _compilation_test(3)

def _ranges_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name + ".json")
    ctx.actions.write(output, json.encode([
        [kernels, release, supports(kernels, release)]
        for kernels in ctx.attr.ranges
        for release in ctx.attr.releases
    ]))
    return [DefaultInfo(files = depset([output]))]

ranges = rule(
    implementation = _ranges_impl,
    doc = "Writes, as JSON, whether each release is in each range, as kernels/private/lines.bzl has it.",
    attrs = {
        "ranges": attr.string_list(),
        "releases": attr.string_list(),
    },
)
