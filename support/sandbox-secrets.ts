import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { OperatorError, reason } from './failure';
import { secretPath } from './paths';

const clusterKeys = z.object({ unseal_keys_b64: z.array(z.string()).min(1), root_token: z.string().min(1) }).loose();
const login = z.object({ username: z.string().min(1), password: z.string().min(1) });
const giteaLogin = login.extend({ token: z.string().min(1) });

/** Vault's key shares and root token, as `vault operator init -format=json` prints them. */
export type ClusterKeys = z.infer<typeof clusterKeys>;
/** A user name and a password. */
export type Login = z.infer<typeof login>;

/** Path of a file in the sandbox's secrets folder. @throws OperatorError when it is not there. */
export function secretFile(name: string, folder?: string): string {
  const file = folder === undefined ? secretPath(name) : join(folder, name);
  if (!existsSync(file)) throw unreadable(file, 'no such file');
  return file;
}

/** Vault's keys. @throws OperatorError when the file is missing or not what `vault operator init` prints. */
export function readClusterKeys(folder?: string): ClusterKeys {
  return readJson('cluster-keys.json', clusterKeys, folder);
}

/** Gitea's operator account. @throws OperatorError */
export function readGiteaAdmin(folder?: string): z.infer<typeof giteaLogin> {
  return readJson('gitea-admin.json', giteaLogin, folder);
}

/** The provisioner of Postgres (superuser). @throws OperatorError */
export function readPostgresAdmin(folder?: string): Login {
  return readJson('postgres-admin.json', login, folder);
}

/** The private key (PEM) of the stand-in CI token issuer. @throws OperatorError */
export function readCiSigningKey(folder?: string): string {
  return readFileSync(secretFile('ci-jwt.key', folder), 'utf8');
}

function readJson<T>(name: string, shape: z.ZodType<T>, folder?: string): T {
  const file = secretFile(name, folder);
  try {
    return shape.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (thrown) {
    // Only the field names are said: a zod or JSON message may quote the secret itself.
    const seen =
      thrown instanceof z.ZodError ? thrown.issues.map((issue) => issue.path.join('.')).join(', ') : 'no JSON';
    throw unreadable(file, `not the expected content (${seen})`);
  }
}

function unreadable(file: string, seen: string): OperatorError {
  return new OperatorError({
    attempted: 'read the sandbox secret',
    where: file,
    expected: 'the file that `npm run lab -- up` writes',
    seen: reason(seen),
    next: 'bring the lab up with `npm run lab -- up`, or correct sandbox.config.yaml, and run the same command again.',
  });
}
