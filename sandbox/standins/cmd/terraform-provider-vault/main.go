// Command terraform-provider-vault is a stand-in for hashicorp/vault: the same source name and resource types, written here.
package main

import (
	"context"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"sandbox.local/standins/vault"
)

func main() {
	options := providerserver.ServeOpts{Address: "registry.opentofu.org/hashicorp/vault"}
	if err := providerserver.Serve(context.Background(), vault.New, options); err != nil {
		log.Fatal(err)
	}
}
