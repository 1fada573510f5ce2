"""Tests in virtual machines: boots kernels in QEMU, runs a Python script over them, and says what came of it."""
