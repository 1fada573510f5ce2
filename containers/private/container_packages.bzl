"""container_packages: the packages of locks as targets, one for each package whatever lock or extra wants it, and their layers."""

load("//roots:repositories.bzl", "read_lock", "root_repository")

_BUILD = """load("@{workspace}//containers/private:configured_packages.bzl", "configured_packages")
load("@{workspace}//containers/private:debian_package.bzl", "debian_package")
load("@{workspace}//containers/private:joined_packages.bzl", "joined_packages")

package(default_visibility = ["//visibility:public"])
"""

_PACKAGE = """
debian_package(
    name = {name},
    component = {component},
    deb = {deb},
)
"""

_CONFIGURED = """
configured_packages(
    name = {name},
    packages = [{packages}],
)
"""

_JOINED = """
joined_packages(
    name = {name},
    packages = {packages},
)
"""

# A runtime takes 127 layers in an image. An extra with more packages than this has layers of several: of those packages
# that no other extra has and that aren't large. Which layer a package is in depends on its name alone, so that a package
# that comes or goes changes no other layer.
_MOST_LAYERS = 60
_JOINED_LAYERS = 8
_LARGE = 1000000  # bytes of a .deb

def _joined(name, packages):
    """The BUILD text of a layer of several packages."""
    return _JOINED.format(name = json.encode(name), packages = json.encode([":" + package for package in packages]))

def _layers(lock, extra, packages, shared):
    """The names of the layers of a lock's extra, lowest first, and the BUILD text of those that aren't one package.

    Args:
      lock: the lock's name.
      extra: the extra's name; empty for what every image has, which is one layer, configured.
      packages: its packages: (target, bytes).
      shared: a dictionary that has the targets which other extras have as well.

    Returns:
      A list of strings, a string.
    """
    if not extra:
        joined = lock + "-every-image"
        name = lock + "-configured"
        configured = _CONFIGURED.format(name = json.encode(name), packages = json.encode(":" + joined))
        return [name], _joined(joined, [target for target, _ in packages]) + configured
    if len(packages) <= _MOST_LAYERS:
        return [target for target, _ in packages], ""
    layers = {}
    for target, size in packages:
        alone = target in shared or size >= _LARGE
        layer = target if alone else "{}-{}-{}".format(lock, extra, hash(target) % _JOINED_LAYERS)
        layers.setdefault(layer, []).append(target)
    return layers.keys(), "".join([_joined(layer, targets) for layer, targets in layers.items() if layer != targets[0]])

def _container_packages_impl(rctx):
    sets = {}
    known = {}
    times = {}
    build = [_BUILD.format(workspace = rctx.attr.locks[0].workspace_name)]
    for label in rctx.attr.locks:
        lock = read_lock(rctx, label)
        sets[lock["name"]] = {}
        for package in lock["packages"]:
            extra = package.get("layer", "")
            target = known.get(package["sha256"])
            if not target:
                # The name alone, unless two locks or extras have two versions; a colon is not for a target.
                version = package["version"].replace(":", "_")
                target = package["name"] if package["name"] not in known.values() else "{}_{}".format(package["name"], version)
                known[package["sha256"]] = target
                build.append(_PACKAGE.format(
                    name = json.encode(target),
                    component = json.encode(json.encode({
                        "arch": package["arch"],
                        "lock": "{}/{}".format(label.package, label.name),
                        "name": package["name"],
                        "sha256": package["sha256"],
                        "type": "deb",
                        "version": package["version"],
                    })),
                    deb = json.encode("@{}//:packages/{}.deb".format(
                        root_repository(lock["name"], extra),
                        package["name"].replace("+", "x"),
                    )),
                ))
            times[target] = times.get(target, 0) + 1
            sets[lock["name"]].setdefault(extra, []).append((target, package["size"]))
    shared = {target: True for target, count in times.items() if count > 1}
    found = {}
    for lock, extras in sets.items():
        found[lock] = {}
        for extra, packages in extras.items():
            names, text = _layers(lock, extra, packages, shared)
            found[lock][extra] = ["@{}//:{}".format(rctx.name, name) for name in names]
            build.append(text)
    rctx.file("BUILD.bazel", "".join(build), executable = False)
    rctx.file("sets.bzl", "\"\"\"The layers of each lock's packages by extra; that of all its images under the empty name.\"\"\"\n\nSETS = {}\n".format(
        json.encode_indent(found, indent = "    "),
    ), executable = False)

container_packages = repository_rule(
    implementation = _container_packages_impl,
    doc = """The packages of locks as layers; `sets.bzl` says which each lock has, and each extra, the lowest first.

A package is fetched when the layer of it is first built.""",
    attrs = {
        "locks": attr.label_list(
            doc = "The lock files.",
            mandatory = True,
        ),
    },
)
