"""The roots that rules use, each with the names of its extras (roots/NAME.yaml says the rest)."""

ROOTS = {
    "apt": ["test"],
    "browser": [],
    "container-build": [],
    "containers": [
        "haproxy",
        "named",
        "package-repo",
        "rabbitmq",
        "redis",
        "registry",
        "vrouter-kernel-init",
        "zookeeper",
    ],
    "containers-forky": ["ci-agent"],
    "crane": [],
    "docker": [],
    "farm-server": [],
    "farm-worker": [],
    "go": [],
    "guest": ["depmod"],
    "image-builders": [],
    "kbuild-bookworm": ["scons"],
    "kbuild-bullseye": ["scons"],
    "kbuild-forky": ["scons"],
    "kbuild-sid": ["scons"],
    "kbuild-trixie": ["scons"],
    "lint": [],
    "other-bazel": [],
    "package-clients": [],
    "package-repository": [],
    "podman": [],
    "qemu": [],
    "registry": [],
    "rpm": [],
    "systemd": [],
    "userspace": [],
}

# Locked packages that are no root (`dependencies: false`); @root_NAME//:packages/PACKAGE.deb is one.
PACKAGE_LISTS = [
    "dkms-examples",
    "pip",
]

# The roots that have wheels too (roots/NAME.requirements.in), as the extra `wheels`, each to the version of Python that they
# are for; an empty one is that of the tool runtime.
WHEELS = {
    "containers": "3.13",
    "docker": "",
    "farm-server": "",
}
