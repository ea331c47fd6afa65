package demo

import (
	"context"
	"time"

	"github.com/cordboard/cordboard/store"
)

// fillRequests opens requests of the caller of the story: one of the specialist whose
// desk is left to people, one that is late already, and one that waits for her.
func fillRequests(ctx context.Context, s *store.Store) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	dana := store.Person{Number: storyNumber}
	for _, r := range []store.Request{
		{Ref: "R-7K3F9-2QXM1", Kind: "line_repair", Title: "Fibre drops every evening", Detail: "Four drops in seven days, always after 19:00.", OpenedBy: "priya", OpenedAt: now.Add(-26 * time.Hour), State: store.RequestOpen, Owner: "petar", DueAt: now.Add(3 * time.Hour), NextAt: now.Add(3 * time.Hour), Level: 1},
		{Ref: "R-4B8WD-H0C6Y", Kind: "refund", Title: "Refund for the outage last month", Source: "site", SourceID: "form-311", OpenedAt: now.Add(-75 * time.Hour), State: store.RequestOpen, Owner: "anna", DueAt: now.Add(-3 * time.Hour), NextAt: now.Add(-3 * time.Hour), Level: 1},
		{Ref: "R-Z5N1T-RE8GY", Kind: "line_repair", Title: "New socket in the hall", OpenedBy: "maria", OpenedAt: now.Add(-50 * time.Hour), State: store.RequestWaiting, Owner: "petar", DueAt: now, Left: 5 * time.Hour, Level: 1},
	} {
		first := store.RequestStep{At: r.OpenedAt, Who: r.OpenedBy, Kind: "opened", Word: r.Source}
		if _, _, err := s.OpenRequest(ctx, dana, r, first, nil); err != nil {
			return err
		}
	}
	return nil
}
