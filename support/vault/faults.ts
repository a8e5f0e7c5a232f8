import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ciMount } from './ci-token';
import { eventually } from '../eventually';
import { probeActive } from './probes';
import type { Fault } from '../fault';
import { readClusterKeys, secretFile } from '../sandbox-secrets';

/** Nothing can be read, leased or logged in to. */
export const vaultSealed: Fault = {
  name: 'vault-sealed',
  breaks: 'Vault is sealed.',
  plant: ({ systems }) => systems.vault.write('sys/seal', {}),
  heal: async ({ systems }) => {
    for (const share of readClusterKeys().unseal_keys_b64) if (await systems.vault.unseal(share)) break;
    await eventually('Vault is active', () => probeActive(systems.vault), 'boot');
  },
};

/** Every CI token is taken for a forged one. */
export const ciIssuerReplaced: Fault = {
  name: 'ci-issuer-replaced',
  breaks: 'Vault trusts another issuer of CI tokens than the one that signs them.',
  plant: ({ systems }) => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const stranger = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    return systems.vault.write(`auth/${ciMount}/config`, { jwt_validation_pubkeys: [stranger] });
  },
  heal: ({ systems }) => {
    const issuer = readFileSync(secretFile('ci-jwt.pub'), 'utf8');
    return systems.vault.write(`auth/${ciMount}/config`, { jwt_validation_pubkeys: [issuer] });
  },
};

const strayMount = 'planted';

/** A secrets engine that somebody enabled by hand. */
export const mountByHand: Fault = {
  name: 'mount-by-hand',
  breaks: 'A secrets engine was enabled in Vault by hand.',
  plant: ({ systems }) => systems.vault.write(`sys/mounts/${strayMount}`, { type: 'kv' }),
  heal: ({ systems }) => systems.vault.delete(`sys/mounts/${strayMount}`),
};
