// Command terraform-provider-postgresql is a stand-in for cyrilgdn/postgresql: the same source name and resource types, written here.
package main

import (
	"context"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"sandbox.local/standins/postgresql"
)

func main() {
	options := providerserver.ServeOpts{Address: "registry.opentofu.org/cyrilgdn/postgresql"}
	if err := providerserver.Serve(context.Background(), postgresql.New, options); err != nil {
		log.Fatal(err)
	}
}
