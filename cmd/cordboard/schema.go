package main

import (
	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/configs"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of a routing document, for editors", Args: cobra.NoArgs,
		Long: "Print the JSON Schema (draft 2020-12) of a routing document. An editor with a YAML language server offers keys and words and underlines what is wrong\n" +
			"when the document begins with:  # yaml-language-server: $schema=routing.schema.json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(configs.RoutingSchema())
			return err
		},
	}
}
