"""Kernels: their headers, module sources, and modules for each of them."""

load("//kernels/private:catalogue_targets.bzl", _catalogue_targets = "catalogue_targets", _latest_releases = "latest_releases")
load("//kernels/private:generated_sources.bzl", _generated_sources = "generated_sources")
load("//kernels/private:kernel_headers.bzl", _kernel_headers = "kernel_headers")
load("//kernels/private:kernel_module.bzl", _kernel_module = "kernel_module")
load("//kernels/private:kernel_module_source.bzl", _kernel_module_source = "kernel_module_source")
load("//kernels/private:lines.bzl", _supports = "supports")
load("//kernels/private:providers.bzl", _KernelInfo = "KernelInfo", _KernelModuleInfo = "KernelModuleInfo", _KernelModuleSourceInfo = "KernelModuleSourceInfo")

generated_sources = _generated_sources
kernel_headers = _kernel_headers
kernel_module = _kernel_module
kernel_module_source = _kernel_module_source
KernelInfo = _KernelInfo
KernelModuleInfo = _KernelModuleInfo
KernelModuleSourceInfo = _KernelModuleSourceInfo
catalogue_targets = _catalogue_targets
latest_releases = _latest_releases
supports = _supports
