package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/configs/convert"
)

// importingQueues are the arguments of import queues.
type importingQueues struct {
	file, rules, out string
	dial             []string
	options          convert.Options
}

func importQueuesCommand() *cobra.Command {
	var im importingQueues
	c := &cobra.Command{
		Use:   "queues queues.conf|callcenter.conf.xml",
		Short: "Make a routing document of the queues of Asterisk or FreeSWITCH",
		Long: "Make a routing document of Asterisk's queues.conf, with --rules queuerules.conf, or of FreeSWITCH's callcenter.conf.xml (docs/import-queues.md).\n" +
			"The document goes to standard output or to --out, what it does not say as the file did to standard error, a line each. Exit status 1 when\n" +
			"the file can't be read, or the document would be refused.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			im.file = args[0]
			return im.run(cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVar(&im.rules, "rules", "", "Asterisk's queuerules.conf")
	f.StringVarP(&im.out, "out", "o", "", "a new file for the document")
	f.StringArrayVar(&im.dial, "dial", nil, "QUEUE=NUMBER, again for each: the number that callers of a queue dial, E.164 (+441632960100) or 2 to 8 digits")
	f.StringVar(&im.options.Name, "name", "", "the document's title")
	f.StringVar(&im.options.Zone, "zone", "UTC", "the centre's time zone, such as Europe/London")
	f.StringVar(&im.options.PBX, "pbx", "", "HOST[:PORT] where the telephones are reached through the old switch; without it they register here")
	return c
}

func (im *importingQueues) run(document, told io.Writer) error {
	if _, err := time.LoadLocation(im.options.Zone); err != nil || im.options.Zone == "Local" {
		return fmt.Errorf("--zone %s is no time zone, such as Europe/London", im.options.Zone)
	}
	im.options.Dial = map[string]string{}
	for _, d := range im.dial {
		queue, number, ok := strings.Cut(d, "=")
		if !ok {
			return fmt.Errorf("--dial %s is not QUEUE=NUMBER", d)
		}
		im.options.Dial[queue] = number
	}
	r, err := im.convert()
	if err != nil {
		return err
	}
	for _, n := range r.Notes {
		fmt.Fprintln(told, n)
	}
	report := configs.Check(im.name(), r.Document, configs.CheckInput{Today: time.Now()})
	if report.Exit() != 0 {
		if err := report.Print(told); err != nil {
			return err
		}
		return errors.New("the document made of " + im.file + " would be refused: see above")
	}
	if im.out == "" {
		_, err := document.Write(r.Document)
		return err
	}
	f, err := os.OpenFile(im.out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(r.Document)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	fmt.Fprintf(told, "%s is written; cordboard check %s says what looks wrong in it\n", im.out, im.out)
	return nil
}

// name is what findings in the document are shown with.
func (im *importingQueues) name() string {
	if im.out != "" {
		return im.out
	}
	return "the document"
}

// convert reads the files: XML is FreeSWITCH's, all else Asterisk's.
func (im *importingQueues) convert() (convert.Result, error) {
	queues, err := readToConvert(im.file)
	if err != nil {
		return convert.Result{}, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(queues.Data), []byte("<")) {
		if im.rules != "" {
			return convert.Result{}, fmt.Errorf("--rules go with queues.conf, and %s is FreeSWITCH's", im.file)
		}
		return convert.FreeSWITCH(queues, im.options)
	}
	if im.rules == "" {
		return convert.Asterisk(queues, nil, im.options)
	}
	rules, err := readToConvert(im.rules)
	if err != nil {
		return convert.Result{}, err
	}
	return convert.Asterisk(queues, &rules, im.options)
}

// maxConverted bounds a file of another switch.
const maxConverted = 8 << 20

func readToConvert(path string) (convert.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return convert.File{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxConverted+1))
	if err != nil {
		return convert.File{}, err
	}
	if len(b) > maxConverted {
		return convert.File{}, fmt.Errorf("%s is larger than 8 MiB", path)
	}
	return convert.File{Name: filepath.Base(path), Data: b}, nil
}
