"""Tests in virtual machines."""

load("//tests/private:image_initramfs.bzl", _image_initramfs = "image_initramfs")
load("//tests/private:initramfs.bzl", _initramfs = "initramfs")
load("//tests/private:providers.bzl", _InitramfsInfo = "InitramfsInfo", _VmMachineInfo = "VmMachineInfo")
load("//tests/private:vm_failure_test.bzl", _vm_failure_test = "vm_failure_test")
load("//tests/private:vm_tests.bzl", _kernel_vms = "kernel_vms", _vm_test = "vm_test")

image_initramfs = _image_initramfs
initramfs = _initramfs
InitramfsInfo = _InitramfsInfo
VmMachineInfo = _VmMachineInfo
kernel_vms = _kernel_vms
vm_failure_test = _vm_failure_test
vm_test = _vm_test
