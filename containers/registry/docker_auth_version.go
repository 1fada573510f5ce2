package main

// What upstream's `go generate` would write; the version is that of the locked module.
const (
	Version = "@VERSION@"
	BuildId = ""
)
