import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import axios from 'axios';
import { z } from 'zod';
import { OperatorError } from '../failure';
import { readInventory } from '../inventory';
import { secretPath } from '../paths';
import { judgeShell } from './environment';
import { type Judge, currentJudge } from './policy';
import { insideRig } from './rig';
import { leavesByDefaultRoute } from './routes';
import { type VaultTokenChecker, findRealSecrets } from './tokens';
import { type Refused, RefusedByBoundary, refusalExitCode, refused } from './verdict';

/** What the start-up check looks at; everything but the environment has a default. */
export interface StartUp {
  environment: Readonly<Record<string, string | undefined>>;
  knowsVaultToken?: VaultTokenChecker;
  judge?: Judge;
  /** The addresses this machine itself owns. */
  ownAddresses?: readonly string[];
}

/** Everything that forbids a start: real credentials, a shell aimed at production, a machine that is production. */
export async function startUpRefusals(start: StartUp): Promise<Refused[]> {
  const judge = start.judge ?? currentJudge();
  const refusals = await findRealSecrets(start.environment, start.knowsVaultToken ?? sandboxVaultKnows);
  const shell = judgeShell(judge, start.environment);
  if (!shell.allowed) refusals.push(shell);
  const own =
    start.ownAddresses ??
    Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  for (const address of own) {
    const verdict = judge.host(address);
    if (!verdict.allowed && verdict.kind === 'production-address' && !insideRig())
      refusals.push(
        refused('this machine', verdict.kind, `its own address ${address} is that of a production machine`),
      );
  }
  return refusals;
}

/**
 * The check every command of this project makes before it does anything.
 * @throws OperatorError (exit code 3) that names every variable to unset, never a value.
 */
export async function assertStartAllowed(start: StartUp = { environment: process.env }): Promise<void> {
  const refusals = await startUpRefusals(start);
  const [first, ...others] = refusals;
  if (first === undefined) return;
  if (others.length === 0) throw new RefusedByBoundary(first, 'start with');
  throw new OperatorError({
    attempted: 'start',
    expected: 'a shell without production credentials or addresses',
    seen: refusals.map(({ subject, reason }) => `${subject}: ${reason}`).join('; '),
    next: 'unset those variables, or start again from a clean shell: `env -i HOME="$HOME" PATH="$PATH" npm run suite`.',
    exitCode: refusalExitCode,
  });
}

const keysShape = z.object({ root_token: z.string().min(1) }).loose();

/** Asks the sandbox: first its own key file, then its Vault's `auth/token/lookup-self` (2 s at most). */
const sandboxVaultKnows: VaultTokenChecker = async (token) => {
  try {
    const keys = keysShape.parse(JSON.parse(readFileSync(secretPath('cluster-keys.json'), 'utf8')));
    if (sameSecret(keys.root_token, token)) return 'known';
  } catch {
    // No sandbox Vault has been initialised for this user yet; it can still be asked below.
  }
  try {
    const url = new URL('/v1/auth/token/lookup-self', readInventory().endpoints.vault);
    // With the lab down this address is somebody else's: a token must not be sent there.
    if (leavesByDefaultRoute(url.hostname)) return 'cannot tell';
    const answer = await axios.get<unknown>(url.href, {
      headers: { 'X-Vault-Token': token },
      timeout: 2000,
      proxy: false,
      maxRedirects: 0,
      validateStatus: () => true,
    });
    if (answer.status === 200) return 'known';
    return answer.status === 403 ? 'unknown' : 'cannot tell';
  } catch {
    return 'cannot tell';
  }
};

function sameSecret(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
