"""What the script imports."""

WORD = "from the rule"
NOTES = "What is said here is found in the machines.\n"
