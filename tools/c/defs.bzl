"""C in this repository: programs that run beside the kernel modules."""

load(":user_program.bzl", _UserProgramInfo = "UserProgramInfo", _user_program = "user_program")

UserProgramInfo = _UserProgramInfo
user_program = _user_program
