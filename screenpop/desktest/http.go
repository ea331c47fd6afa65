package desktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
)

func (d *Desk) origin() string { return d.base.Scheme + "://" + d.base.Host }

func (d *Desk) signIn(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return fmt.Errorf("desktest: sign in: %w", err)
	}
	d.client.Jar = jar
	in := map[string]string{"user": d.opt.User, "password": d.opt.Password}
	if d.opt.Link != "" {
		in = map[string]string{"link": d.opt.Link}
	}
	var out struct {
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	if err := d.post(ctx, "/api/v1/session", in, &out); err != nil {
		return fmt.Errorf("desktest: sign in: %w", err)
	}
	d.user = out.User.ID
	return nil
}

func (d *Desk) ticket(ctx context.Context) (string, error) {
	if d.opt.Ticket != nil {
		return d.opt.Ticket(ctx)
	}
	var out struct {
		Ticket string `json:"ticket"`
	}
	if err := d.post(ctx, "/api/v1/desk/ticket", struct{}{}, &out); err != nil {
		return "", fmt.Errorf("desktest: ticket: %w", err)
	}
	return out.Ticket, nil
}

func (d *Desk) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.origin()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", d.origin())
	if d.user != "" {
		req.Header.Set("Cordboard-Seat", d.user)
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %d", resp.StatusCode)
	}
	return json.Unmarshal(answer, out)
}
