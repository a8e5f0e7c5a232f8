// Command terraform-provider-random is a stand-in for hashicorp/random: the same source name and resource types, written here.
package main

import (
	"context"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"sandbox.local/standins/random"
)

func main() {
	options := providerserver.ServeOpts{Address: "registry.opentofu.org/hashicorp/random"}
	if err := providerserver.Serve(context.Background(), random.New, options); err != nil {
		log.Fatal(err)
	}
}
