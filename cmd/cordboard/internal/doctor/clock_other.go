//go:build !linux

package doctor

import "context"

func clock(context.Context, Patient) []Line { return nil }
