"""go_modules: the Go modules of a lock, as a repository that is fetched when first needed.

Where from is Go's own setting, GOPROXY, as the locked Go reads it: from the environment, from what `go env -w` wrote,
or its default. What may come is fixed by the lock's SHA-256.
"""

_REFRESH = "./bazelw run //containers:update_go"

def _proxies(rctx):
    """The base URLs of the module proxies, in the order to try."""
    rctx.extract(rctx.attr._go, output = "go")
    rctx.extract("go/data.tar.xz", output = "go")
    (version,) = [path for path in rctx.path("go/usr/lib").readdir() if path.basename.startswith("go-")]
    done = rctx.execute([version.get_child("bin").get_child("go"), "env", "GOPROXY"], environment = {"GOTOOLCHAIN": "local"})
    rctx.delete("go")
    if done.return_code:
        fail("{}: `go env GOPROXY` doesn't say where modules come from: {}".format(rctx.attr.lock, done.stderr.strip()))
    return [
        word.strip().rstrip("/")
        for word in done.stdout.strip().replace("|", ",").split(",")
        if "://" in word
    ], done.stdout.strip()

def _escaped(text):
    """A module's path or version in a proxy's URLs: a capital is `!` and the small letter (go.dev/ref/mod, GOPROXY protocol)."""
    return "".join(["!" + letter.lower() if letter.isupper() else letter for letter in text.elems()])

def _go_modules_impl(rctx):
    lock = json.decode(rctx.read(rctx.attr.lock), default = None)
    if type(lock) != "dict" or lock.get("schema") != 1:
        fail("{}: not a lock of Go modules with schema 1; restore it from git or make it anew with: {}".format(rctx.attr.lock, _REFRESH))
    proxies, setting = _proxies(rctx)
    if not proxies:
        fail(("{}: no module proxy is named: GOPROXY is '{}'. Name one that has the modules: --repo_env=GOPROXY=URL, " +
              "or `go env -w GOPROXY=URL`").format(rctx.attr.lock, setting))
    files = []
    pending = []
    for module in lock["modules"]:
        urls = ["{}/{}/@v/{}.zip".format(base, _escaped(module["path"]), _escaped(module["version"])) for base in proxies]
        files.append("modules/{}@{}.zip".format(module["path"], module["version"]))

        # Each address twice: Bazel itself goes on to the next one after a connection that was cut.
        token = rctx.download(urls + urls, files[-1], sha256 = module["sha256"], allow_fail = True, block = False)
        pending.append((module, token))
    failed = ["{} {} (SHA-256 {})".format(module["path"], module["version"], module["sha256"]) for module, token in pending if not token.wait().success]
    if failed:
        # One line, because Bazel repeats it for the repository, its package, and each target that needs it.
        fail(("{}: no module proxy has {}; the WARNING lines above say why, for each address. Name a proxy that has it: " +
              "--repo_env=GOPROXY=URL, or `go env -w GOPROXY=URL`; or refresh the lock: {}").format(
            rctx.attr.lock,
            ", ".join(failed),
            _REFRESH,
        ))
    rctx.file("BUILD.bazel", """filegroup(
    name = "modules",
    srcs = {},
    visibility = ["//visibility:public"],
)
""".format(json.encode_indent(sorted(files), prefix = "    ", indent = "    ")), executable = False)

go_modules = repository_rule(
    implementation = _go_modules_impl,
    doc = "The zips of a lock's Go modules; `:modules` is all of them, each as modules/PATH@VERSION.zip.",
    attrs = {
        "lock": attr.label(
            doc = "The lock, containers/NAME/go.lock.json, made by `./bazelw run //containers:update_go -- NAME`.",
            mandatory = True,
        ),
        "_go": attr.label(default = "@root_go//:packages/golang-1.24-go.deb"),
    },
    environ = ["GOENV", "GOPROXY"],
)
