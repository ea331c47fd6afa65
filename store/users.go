package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// User is somebody who signs in. An agent's user id is the agent's id.
type User struct {
	ID           string
	Role         string // agent, supervisor
	Name         string
	PasswordHash string // as package web made it; never a password
	// Phone is the same password for the user's telephone; SaveUser leaves what
	// is stored when it is zero, or when the telephone has a secret of its own.
	// Reading leaves it out.
	Phone PhoneSecret
}

// Session is one login. Hash is of the token, which is never stored.
type Session struct {
	Hash    string
	User    string
	Expires time.Time
}

// SaveUser adds a user or changes the one with that id. A new password ends the
// sessions that the old one began.
func (s *Store) SaveUser(ctx context.Context, u User) error {
	err := s.write.inTx(ctx, func(t *tx) error {
		if _, err := t.exec(qUsersChanged); err != nil {
			return err
		}
		if _, err := t.exec(qEndSessions, u.ID, u.PasswordHash); err != nil {
			return err
		}
		if _, err := t.exec(qSaveUser, u.ID, u.Role, u.Name, u.PasswordHash, time.Now().UnixMicro()); err != nil || u.Phone == (PhoneSecret{}) {
			return err
		}
		_, err := t.exec(qSaveUserPhone, u.ID, u.Phone.Realm, u.Phone.MD5, u.Phone.SHA256)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: save user: %w", err)
	}
	return nil
}

// User reads one user; ErrNotFound when there is none.
func (s *Store) User(ctx context.Context, id string) (User, error) {
	var u User
	if err := s.read.row(ctx, qUser, []any{id}, &u.ID, &u.Role, &u.Name, &u.PasswordHash); err != nil {
		return User{}, fmt.Errorf("store: user: %w", err)
	}
	return u, nil
}

// Users reads all users, by id.
func (s *Store) Users(ctx context.Context) ([]User, error) {
	var out []User
	err := each(ctx, s.read, qUsers, nil, func(row *sql.Rows) error {
		var u User
		err := row.Scan(&u.ID, &u.Role, &u.Name, &u.PasswordHash)
		out = append(out, u)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: users: %w", err)
	}
	return out, nil
}

// DeleteUser removes a user and ends the user's sessions; ErrNotFound when
// there is none.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	err := s.write.inTx(ctx, func(t *tx) error {
		n, err := t.exec(qDeleteUser, id)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		_, err = t.exec(qUsersChanged)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: delete user: %w", err)
	}
	return nil
}

// SaveSession stores a login and sweeps those that have expired.
func (s *Store) SaveSession(ctx context.Context, hash, user string, expires time.Time) error {
	err := s.write.inTx(ctx, func(t *tx) error {
		now := time.Now().UnixMicro()
		if _, err := t.exec(qExpireSessions, now); err != nil {
			return err
		}
		_, err := t.exec(qSaveSession, hash, user, now, expires.UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("store: save session: %w", err)
	}
	return nil
}

// Session finds a login that has not expired, else ErrNotFound.
func (s *Store) Session(ctx context.Context, hash string) (Session, error) {
	out := Session{Hash: hash}
	var expires sql.NullInt64
	if err := s.read.row(ctx, qSession, []any{hash, time.Now().UnixMicro()}, &out.User, &expires); err != nil {
		return Session{}, fmt.Errorf("store: session: %w", err)
	}
	out.Expires = instant(expires)
	return out, nil
}

// DeleteSession ends a login; one that is not there is ended already.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	err := s.write.inTx(ctx, func(t *tx) error {
		_, err := t.exec(qDeleteSession, hash)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: delete session: %w", err)
	}
	return nil
}
