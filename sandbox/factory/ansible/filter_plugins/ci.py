"""The token that a CI job of a repository gets, signed by the sandbox's stand-in issuer."""
import time

import jwt


def ci_token(repository, key_file):
    """`arcodange-org/erp` -> a signed token of ten minutes; Vault binds the CI role to the claim `repository`."""
    with open(key_file, encoding="utf-8") as file:
        key = file.read()
    now = int(time.time())
    claims = {
        "iss": "sandbox-ci", "aud": "vault", "sub": f"repo:{repository}:ref:refs/heads/main", "iat": now, "exp": now + 600,
        "repository": repository, "repository_owner": repository.split("/")[0], "ref": "refs/heads/main",
    }
    return jwt.encode(claims, key, algorithm="ES256")


def app_roots(apps, checkout, organisation, key_file):
    """Names of apps -> their OpenTofu roots, each with the CI token of its own repository."""
    return [
        {
            "path": f"{checkout}/apps/{app}/iac",
            "prefix": f"sandbox/{app}/main",
            "environment": {"TERRAFORM_VAULT_AUTH_JWT": ci_token(f"{organisation}/{app}", key_file)},
        }
        for app in apps
    ]


class FilterModule:
    def filters(self):
        return {"ci_token": ci_token, "app_roots": app_roots}
