package store

// Check says why a store with these options cannot be opened, as far as the
// options themselves show. It makes nothing and asks no database.
func (o Options) Check() error {
	if o.Postgres == "" {
		return nil
	}
	_, err := newPostgres(&o)
	return err
}
