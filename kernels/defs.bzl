"""Kernels: their headers, module sources, and modules for each of them."""

load("//kernels/private:catalogue_targets.bzl", _catalogue_targets = "catalogue_targets", _latest_releases = "latest_releases")
load("//kernels/private:find_kernel.bzl", _find_kernel = "find_kernel", _has_image = "has_image", _near_releases = "near_releases")
load("//kernels/private:generated_sources.bzl", _generated_sources = "generated_sources")
load("//kernels/private:kernel_headers.bzl", _kernel_headers = "kernel_headers")
load("//kernels/private:kernel_image.bzl", _IMAGE_MODULES = "IMAGE_MODULES", _kernel_image = "kernel_image")
load("//kernels/private:kernel_module.bzl", _kernel_module = "kernel_module")
load("//kernels/private:kernel_module_source.bzl", _kernel_module_source = "kernel_module_source")
load("//kernels/private:lines.bzl", _supports = "supports")
load("//kernels/private:providers.bzl", _KernelImageInfo = "KernelImageInfo", _KernelInfo = "KernelInfo", _KernelModuleInfo = "KernelModuleInfo", _KernelModuleSourceInfo = "KernelModuleSourceInfo")

generated_sources = _generated_sources
kernel_headers = _kernel_headers
kernel_image = _kernel_image
kernel_module = _kernel_module
kernel_module_source = _kernel_module_source
KernelImageInfo = _KernelImageInfo
KernelInfo = _KernelInfo
KernelModuleInfo = _KernelModuleInfo
KernelModuleSourceInfo = _KernelModuleSourceInfo
IMAGE_MODULES = _IMAGE_MODULES
catalogue_targets = _catalogue_targets
find_kernel = _find_kernel
has_image = _has_image
latest_releases = _latest_releases
near_releases = _near_releases
supports = _supports
