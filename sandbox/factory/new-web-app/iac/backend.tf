terraform {
  backend "gcs" {
    # bucket and prefix (sandbox/__APP__/main) are given to init with -backend-config.
  }
}
