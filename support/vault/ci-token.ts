import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';

/** Auth mount that CI tokens log in to. */
export const ciMount = 'gitea_jwt';

const algorithms: Record<string, string> = { rsa: 'RS256', ec: 'ES256', ed25519: 'EdDSA' };

/**
 * The token a CI job of a repository gets, signed by the sandbox's stand-in issuer.
 * @param signingKey PEM of the issuer's private key.
 * @param repository such as `arcodange-org/canary`; Vault binds the CI role to this claim.
 */
export async function ciToken(signingKey: string, repository: string): Promise<string> {
  const key = createPrivateKey(signingKey);
  return new SignJWT({ repository, repository_owner: repository.split('/')[0] ?? '', ref: 'refs/heads/main' })
    .setProtectedHeader({ alg: algorithms[key.asymmetricKeyType ?? ''] ?? 'RS256' })
    .setSubject(`repo:${repository}:ref:refs/heads/main`)
    .setAudience('vault')
    .setIssuer('sandbox-ci')
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(key);
}
