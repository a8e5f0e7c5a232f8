terraform {
  backend "gcs" {
    # bucket and prefix (sandbox/hashicorp-vault/main) are given to init with -backend-config.
  }
}
