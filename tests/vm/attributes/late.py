"""A script that takes longer than its test may."""

import time

time.sleep(1000)
