"""Tests of what vm_test says of its arguments, before any target is there."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//kernels:defs.bzl", "latest_releases")

# The macro fails with this message, which would leave nothing of a BUILD file to test.
load("//tests/private:vm_tests.bzl", "vm_test_mistake")  # buildifier: disable=bzl-visibility

_RELEASE = latest_releases()[0]

def _mistake(kernel = None, machines = {}, modules = [], networks = {}):
    return vm_test_mistake("x_test", kernel, machines, modules, networks)

def _mistakes_test_impl(ctx):
    env = unittest.begin(ctx)
    pair = {"left": _RELEASE, "right": _RELEASE}

    asserts.equals(env, None, _mistake(kernel = _RELEASE))
    asserts.equals(env, None, _mistake(machines = pair, modules = {"left": []}, networks = {"lan": ["left", "right"]}))

    either = "x_test: give either `kernel` or `machines`, and not both"
    asserts.equals(env, either, _mistake())
    asserts.equals(env, either, _mistake(kernel = _RELEASE, machines = pair))

    unknown = _RELEASE.replace("amd64", "amd46")
    message = _mistake(machines = {"vm": unknown})
    start = "x_test: the catalogue has no kernel '{}'; near: ".format(unknown)
    asserts.true(env, message.startswith(start), message)
    near = message.removeprefix(start).partition("; ")[0].split(", ")
    asserts.true(env, _RELEASE in near, message)
    asserts.equals(env, 5, len(near))

    message = "x_test: `networks` names machines that aren't there: middle, top; there are: left, right"
    asserts.equals(env, message, _mistake(machines = pair, networks = {"a": ["left", "top"], "b": ["middle", "top"]}))

    message = "x_test: `modules` names machines that aren't there: vm; there are: left, right"
    asserts.equals(env, message, _mistake(machines = pair, modules = {"vm": []}))
    return unittest.end(env)

mistakes_test = unittest.make(_mistakes_test_impl)
