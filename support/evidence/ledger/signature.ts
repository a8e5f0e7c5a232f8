import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, verify as verifyBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment } from '../../command';
import { OperatorError, reason } from '../../failure';

/**
 * Signatures of ledger entries with the operator's SSH key, as `ssh-keygen -Y sign` makes them (PROTOCOL.sshsig). An entry's
 * hash is signed, which covers every entry before it.
 */
export const namespace = 'sandbox-acceptance-evidence';

const begin = '-----BEGIN SSH SIGNATURE-----';
const end = '-----END SSH SIGNATURE-----';

/** Signs as the entries will be, with this key. */
export interface Signer {
  fingerprint: string;
  sign(hash: string): string;
}

/**
 * The signer for a key file: a private key, or a public one whose private part an agent holds.
 * @throws OperatorError when ssh-keygen cannot use it.
 */
export function signerFor(keyFile: string): Signer {
  const sign = (hash: string): string => {
    const armoured = keygen(['-Y', 'sign', '-q', '-f', keyFile, '-n', namespace], keyFile, hash);
    return armoured.replace(begin, '').replace(end, '').replace(/\s+/g, '');
  };
  return { fingerprint: fingerprintOf(parseSignature(sign('probe')).key), sign };
}

function keygen(args: readonly string[], where: string, input: string): string {
  const agent = process.env['SSH_AUTH_SOCK'];
  try {
    return execFileSync('ssh-keygen', args, {
      input,
      encoding: 'utf8',
      env: childEnvironment(agent === undefined ? {} : { SSH_AUTH_SOCK: agent }),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  } catch (thrown) {
    const said = thrown instanceof Error && 'stderr' in thrown ? String(thrown.stderr).trim() : reason(thrown);
    throw new OperatorError({
      attempted: `use ssh-keygen ${args.slice(0, 2).join(' ')}`,
      where,
      seen: said || reason(thrown),
      next: 'name a key that ssh-keygen can use without asking (an agent may hold it), or unset EVIDENCE_SIGN_KEY.',
      cause: thrown,
    });
  }
}

interface Parsed {
  /** The public key's blob. */
  key: Buffer;
  type: string;
  namespace: string;
  hashName: string;
  signature: Buffer;
}

/** Reads a signature's parts. @throws Error when it is none. */
function parseSignature(base64: string): Parsed {
  const blob = new Blob(Buffer.from(base64, 'base64'));
  if (blob.take(6).toString('latin1') !== 'SSHSIG' || blob.number() !== 1) throw new Error('it is no SSH signature');
  const key = blob.string();
  const signedNamespace = blob.string().toString('utf8');
  blob.string();
  const hashName = blob.string().toString('latin1');
  const signature = blob.string();
  return { key, type: new Blob(key).string().toString('latin1'), namespace: signedNamespace, hashName, signature };
}

class Blob {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new Error('it is cut off');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  number(): number {
    return this.take(4).readUInt32BE();
  }

  string(): Buffer {
    return this.take(this.number());
  }
}

function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** Checks the signatures of a ledger, each key's right to sign once. */
export class SignatureChecker {
  private readonly principals = new Map<string, string | undefined>();

  /** @param signers file in the format of ssh-keygen's allowed signers; without one no key is vouched for. */
  constructor(private readonly signers: string | undefined) {}

  /** Keys that no allowed signer vouches for, because there is no such file. */
  readonly unvouched = new Set<string>();

  /** @returns what is wrong with an entry's signature, undefined when nothing is. */
  problem(hash: string, base64: string | undefined, claimed: string | undefined): string | undefined {
    if (base64 === undefined) {
      return claimed === undefined ? undefined : `it says it was signed by ${claimed}, and its signature is gone`;
    }
    let parsed: Parsed;
    try {
      parsed = parseSignature(base64);
    } catch (thrown) {
      return `its signature cannot be read: ${reason(thrown)}`;
    }
    const signer = fingerprintOf(parsed.key);
    if (claimed !== undefined && signer !== claimed) return `it was signed by ${signer} and says ${claimed}`;
    if (parsed.namespace !== namespace) return `its signature is for ${parsed.namespace}, not for ${namespace}`;
    if (!holds(parsed, hash, base64)) return `the signature of ${signer} is not for this entry`;
    return this.vouched(signer, base64)
      ? undefined
      : `${signer} is none of the allowed signers in ${this.signers ?? ''}`;
  }

  private vouched(signer: string, base64: string): boolean {
    if (this.signers === undefined) {
      this.unvouched.add(signer);
      return true;
    }
    if (!this.principals.has(signer)) this.principals.set(signer, principalOf(base64, this.signers));
    return this.principals.get(signer) !== undefined;
  }
}

function holds(parsed: Parsed, hash: string, base64: string): boolean {
  if (parsed.type !== 'ssh-ed25519') return holdsByKeygen(hash, base64);
  try {
    const keyBlob = new Blob(parsed.key);
    keyBlob.string();
    const x = keyBlob.string().toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const signatureBlob = new Blob(parsed.signature);
    if (signatureBlob.string().toString('latin1') !== 'ssh-ed25519') return false;
    const digest = createHash(parsed.hashName).update(hash).digest();
    const parts = [Buffer.from(parsed.namespace), Buffer.alloc(0), Buffer.from(parsed.hashName), digest];
    const signed = Buffer.concat([Buffer.from('SSHSIG'), ...parts.map(withLength)]);
    return verifyBytes(null, signed, key, signatureBlob.string());
  } catch {
    return false;
  }
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** For keys of other types than Ed25519: a process each. */
function holdsByKeygen(hash: string, base64: string): boolean {
  return withSignatureFile(base64, (file) => {
    try {
      keygen(['-Y', 'check-novalidate', '-n', namespace, '-s', file], file, hash);
      return true;
    } catch {
      return false;
    }
  });
}

function principalOf(base64: string, signers: string): string | undefined {
  return withSignatureFile(base64, (file) => {
    try {
      return keygen(['-Y', 'find-principals', '-s', file, '-f', signers], file, '').trim().split('\n')[0] || undefined;
    } catch {
      return undefined;
    }
  });
}

function withSignatureFile<T>(base64: string, act: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'evidence-'));
  try {
    const file = join(folder, 'sig');
    writeFileSync(file, `${begin}\n${base64.replace(/.{1,70}/g, '$&\n')}${end}\n`);
    return act(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The allowed signers to judge a ledger by: the file named, else the ledger's own when it has one. */
export function signersFile(named: string | undefined, own: string): string | undefined {
  if (named !== undefined && !existsSync(named)) {
    throw new OperatorError({
      attempted: 'read the allowed signers',
      where: named,
      seen: 'no such file',
      next: 'name a file as ssh-keygen(1), "ALLOWED SIGNERS", describes it.',
      exitCode: 2,
    });
  }
  return named ?? (existsSync(own) && readFileSync(own, 'utf8').trim() !== '' ? own : undefined);
}
