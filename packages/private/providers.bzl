"""Providers of packages."""

PackageRepositoryInfo = provider(
    "A package repository, not signed.",
    fields = {
        "distribution": "string: the distribution that its packages are for, such as bookworm.",
        "files": "dict of string to File: what it has, by the path below the repository's folder.",
        "kind": "string: deb (for apt) or rpm (for dnf).",
        "release": "string: the release of the platform that its packages are of.",
    },
)
