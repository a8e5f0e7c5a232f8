import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

const prefix = 'dolcrypt:AES-256-CTR:';

/** OpenSSL in PHP cuts the key or fills it with zeros. */
function keyOf(uniqueId: string): Buffer {
  const key = Buffer.alloc(32);
  Buffer.from(uniqueId, 'utf8').copy(key);
  return key;
}

/**
 * Encrypts as Dolibarr's dolEncrypt does, under DOLI_INSTANCE_UNIQUE_ID. The seed follows from id and text, so that the
 * overlay writes the same row at every reset.
 */
export function seal(uniqueId: string, text: string): string {
  const seed = createHmac('sha256', uniqueId).update(text).digest('hex').slice(0, 16);
  const cipher = createCipheriv('aes-256-ctr', keyOf(uniqueId), Buffer.from(seed, 'latin1'));
  return `${prefix}${seed}:${Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]).toString('base64')}`;
}

/** Reads what `seal` or Dolibarr wrote; under another id the result is noise. Undefined when it is not in that form. */
export function unseal(uniqueId: string, sealed: string): string | undefined {
  const match = /^dolcrypt:AES-256-CTR:([^:]{16}):(.*)$/.exec(sealed);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const decipher = createDecipheriv('aes-256-ctr', keyOf(uniqueId), Buffer.from(match[1], 'latin1'));
  return Buffer.concat([decipher.update(Buffer.from(match[2], 'base64')), decipher.final()]).toString('utf8');
}
