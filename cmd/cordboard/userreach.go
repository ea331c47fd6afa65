package main

import (
	"errors"
	"fmt"
	"net/mail"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/store"
)

func userReachCommand() *cobra.Command {
	var file, address, mobile string
	c := &cobra.Command{
		Use:   "reach ID",
		Short: "Say where a user is told of requests: a mail address, a mobile number",
		Long:  "Say where a user is told of requests when they are due, late or given to him: --mail, --mobile or both. What is left out stays; \"\" takes it back.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return setReach(cmd, file, args[0], address, mobile)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	c.Flags().StringVar(&address, "mail", "", "such as priya@example.com")
	c.Flags().StringVar(&mobile, "mobile", "", "such as +447700900001, with its country")
	c.MarkFlagsOneRequired("mail", "mobile")
	return c
}

func setReach(cmd *cobra.Command, file, user, address, mobile string) (err error) {
	if a, err := mail.ParseAddress(address); address != "" && (err != nil || a.Address != address) {
		return errors.New("--mail: not an address, such as priya@example.com")
	}
	if mobile != "" {
		n, err := identity.ParseNumber(mobile, "", nil)
		if err != nil {
			return errors.New("--mobile: not a number with its country, such as +447700900001")
		}
		mobile = n.E164()
	}
	s, err := openStore(cmd.Context(), file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r, err := s.Reach(cmd.Context(), user)
	if errors.Is(err, store.ErrNotFound) {
		return noUser(user)
	}
	if err != nil {
		return err
	}
	if cmd.Flags().Changed("mail") {
		r.Mail = address
	}
	if cmd.Flags().Changed("mobile") {
		r.Mobile = mobile
	}
	if err := s.SaveReach(cmd.Context(), user, r); err != nil {
		return err
	}
	by := map[store.Reach]string{{}: "not at all"}[r]
	for _, way := range []struct{ has, is string }{{r.Mail, "mail"}, {r.Mobile, "short message"}} {
		switch {
		case way.has != "" && by != "":
			by += " and " + way.is
		case way.has != "":
			by = way.is
		}
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s is told of requests: %s\n", user, by)
	return nil
}
