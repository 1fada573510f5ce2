"""Roots: locked Debian packages, their archives, and commands inside them."""

load("//roots/private:debian_packages.bzl", _debian_packages = "debian_packages")
load("//roots/private:locked_package.bzl", _locked_package = "locked_package")
load("//roots/private:locked_wheels.bzl", _locked_wheels = "locked_wheels")
load("//roots/private:providers.bzl", _RootInfo = "RootInfo")
load("//roots/private:pruned_archive.bzl", _PRUNE_ATTRS = "PRUNE_ATTRS", _pruned_archive = "pruned_archive")
load("//roots/private:root_archive.bzl", _root_archive = "root_archive")
load("//roots/private:run_in_root.bzl", _ROOT_ATTRS = "ROOT_ATTRS", _ROOT_TOOLCHAINS = "ROOT_TOOLCHAINS", _root_arguments = "root_arguments", _root_layers = "root_layers", _run_in_root = "run_in_root")
load("//roots/private:updater.bzl", _updater = "updater")

debian_packages = _debian_packages
locked_package = _locked_package
locked_wheels = _locked_wheels
RootInfo = _RootInfo
PRUNE_ATTRS = _PRUNE_ATTRS
pruned_archive = _pruned_archive
root_archive = _root_archive
ROOT_ATTRS = _ROOT_ATTRS
ROOT_TOOLCHAINS = _ROOT_TOOLCHAINS
root_arguments = _root_arguments
root_layers = _root_layers
run_in_root = _run_in_root
updater = _updater
