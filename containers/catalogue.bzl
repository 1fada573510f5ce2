"""The images of the platform, each in a folder of its name: what //containers:push_all and :save_all take."""

IMAGES = [
    "ci-agent",
    "haproxy",
    "named",
    "package-repo",
    "rabbitmq",
    "redis",
    "registry",
    "vrouter-kernel-init",
    "zookeeper",
]

# Those that have a program of Go modules: go.mod in their folder says of which, go.lock.json pins them.
GO_PROGRAMS = [
    "registry",
]
