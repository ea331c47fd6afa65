package configs

import (
	"errors"
	"fmt"
)

// leastToken characters has a token at least: it stands alone, without a user's name.
const leastToken = 20

// token reads what a system shows that comes by HTTP: by reference, or the file that
// has it.
func (s *serverReader) token(n *node, o *object, who string) (name, path string) {
	token, file := o.get("token"), o.get("token_file")
	if token != nil {
		name = s.tokenName(token)
	}
	if file != nil {
		path = s.path(file, "")
	}
	o.together("token", "token_file")
	if token == nil && file == nil && !o.bad {
		s.errorf(n, CodeMissing, "%s: what %s shows is missing: token_file, or token: ${NAME}", n.label(), who)
	}
	return name, path
}

// tokenName is the name in the environment that stands for a token, ${NAME}.
func (s *serverReader) tokenName(n *node) string {
	text := s.text(n, 100)
	if text != "" && !reference.MatchString(text) {
		s.wrong(n, "a token does not belong in this file: write ${NAME} in its place, or use token_file")
	}
	return text
}

// tokenOf is the token that stands under a path of the file. Its errors don't repeat
// it.
func tokenOf(path, reference, file string) (token string, err error) {
	key := "token"
	if file != "" {
		key = "token_file"
		token, err = firstLine(file)
	} else {
		token, err = resolved(reference)
	}
	if err == nil && len(token) < leastToken {
		err = fmt.Errorf("a token has %d characters at least", leastToken)
	}
	if err != nil {
		return "", fmt.Errorf("%s.%s: %w", path, key, err)
	}
	return token, nil
}

// tokensOf are names by token. No two may have the same.
func tokensOf[T any](section string, all []T, each func(T) (name string, secret func() (string, error))) (map[string]string, error) {
	out := make(map[string]string, len(all))
	var errs []error
	for _, one := range all {
		name, secret := each(one)
		token, err := secret()
		switch other, taken := out[token]; {
		case err != nil:
			errs = append(errs, err)
		case taken:
			errs = append(errs, fmt.Errorf("%s.%s: its token is that of %s.%s", section, name, section, other))
		default:
			out[token] = name
		}
	}
	return out, errors.Join(errs...)
}
