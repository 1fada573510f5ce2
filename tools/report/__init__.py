"""Reports of VM tests: log.html and junit.xml of one run, and the matrix of all kernels."""

from tools.report.reports import write_reports

__all__ = ["write_reports"]
