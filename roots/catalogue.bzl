"""The roots that rules use, each with the names of its extras (roots/NAME.yaml says the rest)."""

ROOTS = {
    "apt": ["test"],
    "kbuild-bookworm": ["scons"],
    "kbuild-bullseye": ["scons"],
    "kbuild-forky": ["scons"],
    "kbuild-sid": ["scons"],
    "kbuild-trixie": ["scons"],
    "lint": [],
    "rpm": [],
}

# Locked packages that are no root (`dependencies: false`); @root_NAME//:packages/PACKAGE.deb is one.
PACKAGE_LISTS = ["dkms-examples"]
