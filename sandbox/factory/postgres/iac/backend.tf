terraform {
  backend "gcs" {
    # bucket and prefix (sandbox/postgres/main) are given to init with -backend-config.
  }
}
