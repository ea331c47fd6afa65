package main

import (
	"context"

	"github.com/cordboard/cordboard/store"
)

// openStore opens the store that a server file names, beside a running server.
func openStore(ctx context.Context, file string) (*store.Store, error) {
	_, o, err := storeOf(file)
	if err != nil {
		return nil, err
	}
	o.Tool = true
	return store.Open(ctx, o)
}
