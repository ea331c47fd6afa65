//go:build !bench

package app

// spin is nothing: only the benchmark's build burns time here, to see whether
// the benchmark can see it.
func spin() {}
