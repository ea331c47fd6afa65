package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// pprofAddr is where a server built with the tag bench shows its profiles.
const pprofAddr = "127.0.0.9:16060"

// profiled writes a CPU profile of the server while a run of so long goes on,
// if one is asked for; only the first run's. Wait for the returned channel.
func (l *lab) profiled(ctx context.Context, length time.Duration) <-chan error {
	done := make(chan error, 1)
	if l.profile == "" {
		done <- nil
		return done
	}
	file := l.profile
	l.profile = ""
	go func() { done <- fetchProfile(ctx, file, length-time.Second) }()
	return done
}

func fetchProfile(ctx context.Context, file string, length time.Duration) error {
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", pprofAddr, int(length/time.Second))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("profile: is the server built with -tags bench? %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return os.WriteFile(file, b, 0o644)
}
