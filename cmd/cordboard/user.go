package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/registrar"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

func userCommand() *cobra.Command {
	c := &cobra.Command{Use: "user", Short: "The people who sign in, and their telephones"}
	c.AddCommand(userAddCommand(), userPhoneCommand(), userReachCommand(), userListCommand(), userRemoveCommand())
	return c
}

func userAddCommand() *cobra.Command {
	var file, role, name string
	c := &cobra.Command{
		Use:   "add ID",
		Short: "Add a user or set a new password, which is read from standard input",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return addUser(cmd, file, store.User{ID: args[0], Role: role, Name: name})
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	c.Flags().StringVar(&role, "role", web.RoleAgent, "agent, supervisor, or admin (who may also change the routing document); an agent's id is the one in the routing document")
	c.Flags().StringVar(&name, "name", "", "shown to colleagues; left out: an agent's in the routing document, a supervisor's id")
	return c
}

func addUser(cmd *cobra.Command, file string, u store.User) (err error) {
	if u.Role != web.RoleAgent && u.Role != web.RoleSupervisor && u.Role != web.RoleAdmin {
		return fmt.Errorf("role %q: it is %s, %s or %s", u.Role, web.RoleAgent, web.RoleSupervisor, web.RoleAdmin)
	}
	if u.Role == web.RoleAgent {
		a, err := agentOf(cmd.Context(), file, u.ID)
		if err != nil {
			return err
		}
		if u.Name == "" {
			u.Name = a.Name
		}
	}
	password, err := readPassword(cmd.InOrStdin(), cmd.ErrOrStderr(), "Password: ")
	if err != nil {
		return err
	}
	if u.PasswordHash, err = web.HashPassword(password); err != nil {
		return err
	}
	if u.Role == web.RoleAgent {
		if u.Phone, err = phoneSecret(file, u.ID, password); err != nil && !errors.Is(err, errNoRegistrar) {
			return err
		}
	}
	s, err := openStore(cmd.Context(), file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if u.Name == "" {
		u.Name = u.ID
	}
	if err := s.SaveUser(cmd.Context(), u); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s may sign in as %s\n", u.ID, u.Role)
	return tellPhone(cmd, s, u)
}

// tellPhone says what a new desk password means for the user's telephone.
func tellPhone(cmd *cobra.Command, s *store.Store, u store.User) error {
	if u.Phone == (store.PhoneSecret{}) {
		return nil
	}
	own, err := s.HasOwnPhoneSecret(cmd.Context(), u.ID)
	if err != nil {
		return err
	}
	if own {
		fmt.Fprintln(cmd.OutOrStdout(), "the telephone keeps its own secret")
	} else {
		fmt.Fprintln(cmd.OutOrStdout(), "a telephone may register with the same password; cordboard user phone sets one apart")
	}
	return nil
}

func userPhoneCommand() *cobra.Command {
	var file string
	var generate bool
	c := &cobra.Command{
		Use:   "phone ID",
		Short: "Set a secret for a user's telephone alone, read from standard input",
		Long: "Set a secret that the user's telephone registers with, so that the desk's password need not be typed into telephones.\n" +
			"A new desk password leaves it as it is.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return setPhone(cmd, file, args[0], generate)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	c.Flags().BoolVar(&generate, "generate", false, "make a secret and print it")
	return c
}

func setPhone(cmd *cobra.Command, file, id string, generate bool) (err error) {
	if err := hasPhone(cmd, file, id); err != nil {
		return err
	}
	secret := rand.Text()
	if !generate {
		if secret, err = readPassword(cmd.InOrStdin(), cmd.ErrOrStderr(), "Telephone's secret: "); err != nil {
			return err
		}
	}
	ha1, err := phoneSecret(file, id, secret)
	if err != nil {
		return err
	}
	s, err := openStore(cmd.Context(), file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.SavePhoneSecret(cmd.Context(), id, ha1)
	if errors.Is(err, store.ErrNotFound) {
		return noUser(id)
	}
	if err != nil {
		return err
	}
	if generate {
		fmt.Fprintln(cmd.OutOrStdout(), secret)
		return nil
	}
	fmt.Fprintf(cmd.OutOrStdout(), "the telephone of %s registers with this secret from now on\n", id)
	return nil
}

// hasPhone says why no telephone registers as this user.
func hasPhone(cmd *cobra.Command, file, id string) (err error) {
	server, agent, known, err := listedAgent(cmd.Context(), file, id)
	if err != nil {
		return err
	}
	if server.SIP.Registrar == nil {
		return fmt.Errorf("%s %w", file, errNoRegistrar)
	}
	s, err := openStore(cmd.Context(), file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	u, err := s.User(cmd.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return noUser(id)
	case err != nil:
		return err
	case u.Role != web.RoleAgent:
		return fmt.Errorf("%s is a %s: calls are for agents, and only their telephones register", id, u.Role)
	case !known:
		return fmt.Errorf("%s is no agent in %s: no telephone registers as one that is not there", id, staffFile(server))
	case !agent.Phone.Registered:
		return fmt.Errorf("%s has a contact of its own in %s: with phone: registered there, the telephone registers here", id, staffFile(server))
	}
	return nil
}

func noUser(id string) error {
	return fmt.Errorf("there is no user %s: add the user first (cordboard user add %s)", id, id)
}

var errNoRegistrar = errors.New("has no sip.registrar: telephones do not register here")

// phoneSecret is what is kept of a telephone's secret: never itself.
func phoneSecret(file, user, secret string) (store.PhoneSecret, error) {
	server, findings := configs.LoadServer(file)
	if server == nil || len(findings) > 0 {
		return store.PhoneSecret{}, refuse(file, findings, printed)
	}
	if server.SIP.Registrar == nil {
		return store.PhoneSecret{}, fmt.Errorf("%s %w", file, errNoRegistrar)
	}
	return store.PhoneSecret(registrar.NewSecret(user, server.SIP.Registrar.Realm, secret)), nil
}

// agentOf is the agent of that id in the routing document, or the directory: a
// user who is none there could sign in and would have no desk.
func agentOf(ctx context.Context, file, id string) (agents.Agent, error) {
	server, a, known, err := listedAgent(ctx, file, id)
	if err == nil && !known {
		err = fmt.Errorf("%s is no agent in %s: add the agent there first, or use --role %s", id, staffFile(server), web.RoleSupervisor)
	}
	return a, err
}

// staffFile is where the agents stand.
func staffFile(s *configs.Server) string {
	if s.Directory != "" {
		return s.Directory
	}
	return s.Routes
}

// listedAgent looks an agent up in the files, and when they do not have the id, in
// the version that is live: it may have been made live by hand.
func listedAgent(ctx context.Context, file, id string) (server *configs.Server, a agents.Agent, known bool, err error) {
	server, policy, err := load(file, printed)
	if server == nil {
		return nil, a, false, err
	}
	if policy != nil {
		if a, known = policy.Agents[agents.ID(id)]; known {
			return server, a, true, nil
		}
	}
	live, problem := livePolicy(ctx, file, server)
	switch {
	case problem != nil:
		return server, a, false, errors.Join(err, problem)
	case live != nil:
		if a, known = live.Agents[agents.ID(id)]; known {
			return server, a, true, nil
		}
	}
	return server, a, false, err
}

// livePolicy is the version that went live last; nil when there is none, or when
// this program cannot read it.
func livePolicy(ctx context.Context, file string, server *configs.Server) (p *routing.Policy, err error) {
	s, err := openStore(ctx, file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	n, err := liveVersion(ctx, s)
	if err != nil || n == 0 {
		return nil, err
	}
	kept, err := s.Version(ctx, n)
	if err != nil {
		return nil, err
	}
	var directory *configs.DirectoryFile
	if server.Directory != "" {
		if directory, err = configs.ReadDirectory(server.Directory); err != nil {
			return nil, err
		}
	}
	p, _ = configs.ParseRouting(fmt.Sprintf("version %d", n), kept.Document, configs.Directory(directory))
	return p, nil
}

// minPassword is the shortest password taken.
const minPassword = 8

// readPassword reads one line; at a terminal twice and unseen.
func readPassword(in io.Reader, prompt io.Writer, ask string) (string, error) {
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return askTwice(ask, func(ask string) ([]byte, error) {
			fmt.Fprint(prompt, ask)
			defer fmt.Fprintln(prompt)
			return term.ReadPassword(int(f.Fd()))
		})
	}
	line, err := io.ReadAll(io.LimitReader(in, 4096))
	if err != nil {
		return "", err
	}
	return checkPassword(line)
}

// askTwice asks for a password that nobody sees while it is typed.
func askTwice(ask string, read func(ask string) ([]byte, error)) (string, error) {
	line, err := read(ask)
	if err != nil {
		return "", err
	}
	password, err := checkPassword(line)
	if err != nil {
		return "", err
	}
	again, err := read("Again: ")
	if err != nil {
		return "", err
	}
	if string(again) != password {
		return "", errors.New("the second one was another: nothing is changed")
	}
	return password, nil
}

func checkPassword(line []byte) (string, error) {
	password, _, _ := strings.Cut(string(line), "\n")
	switch password = strings.TrimSuffix(password, "\r"); {
	case password == "":
		return "", errors.New("a password is needed")
	case len(password) < minPassword:
		return "", fmt.Errorf("a password has at least %d characters", minPassword)
	}
	return password, nil
}
