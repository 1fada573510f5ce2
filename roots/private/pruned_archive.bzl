"""pruned_archive: a copy of an archive for actions that need little of it."""

load("//tools/python:defs.bzl", "RUNTIME_ATTRS", "run_python_tool", "runtime_folder")

PRUNE_ATTRS = {
    "_prune": attr.label(default = "//tools/roots:pruned_archive"),
} | RUNTIME_ATTRS

def pruned_archive(ctx, archive, name, exclude):
    """Declare a copy of an archive without some of its paths; it is made only when an action needs it.

    Args:
      ctx: the context of a rule that has PRUNE_ATTRS and the Python toolchain.
      archive: the File.
      name: the copy's name.
      exclude: shell patterns of paths, from the archive's root.

    Returns:
      The copy's File.
    """
    output = ctx.actions.declare_file(name)
    args = ctx.actions.args()
    args.add("--runtime", runtime_folder(ctx))
    args.add("--output", output)
    args.add_all(exclude, before_each = "--exclude")
    args.add(archive)
    run_python_tool(
        ctx,
        ctx.attr._prune,
        [args],
        inputs = depset([archive]),
        outputs = [output],
        tools = depset(ctx.files._programs),
        mnemonic = "PrunedArchive",
        progress_message = "Copying what compilers need of " + archive.short_path,
    )
    return output
