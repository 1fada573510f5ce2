"""The farm: remote cache and remote execution from locked packages."""

load("//farm/private:farm_command.bzl", _farm_command = "farm_command")

farm_command = _farm_command
