"""Packages: repositories of them for apt and dnf."""

load("//packages/private:package_repository.bzl", _package_repository = "package_repository")
load("//packages/private:providers.bzl", _PackageRepositoryInfo = "PackageRepositoryInfo")

package_repository = _package_repository
PackageRepositoryInfo = _PackageRepositoryInfo
