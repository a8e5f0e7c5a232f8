import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { Finding } from '../finding';
import type { KubernetesClient } from '../kubernetes/client';
import { sandboxSecrets, secretsElsewhere } from '../paths';
import type { Target } from '../target';
import type { VaultClient } from '../vault/client';
import { credentialShapes, findRealSecrets } from './tokens';
import { refused } from './verdict';

/** A place in the sandbox where credentials lie, and what lies there by name. Values never leave this module. */
interface Place {
  name: string;
  source: string;
  values: Record<string, string>;
  /** Names of values that were not fetched, and have the shape of a credential. */
  shaped?: string[];
}

/** Vault tokens of the sandbox's own Vault lie in the sandbox by right; only other providers' credentials are looked for. */
const ownVault = (): Promise<'known'> => Promise.resolve('known');

/** Whether a credential of production's providers lies in Vault, in Kubernetes, on a machine or among the operator's files. */
export async function probeCredentials(
  target: Target,
  vault: VaultClient,
  kubernetes: KubernetesClient,
): Promise<Finding[]> {
  const places = [
    await inVault(vault),
    await inKubernetes(kubernetes),
    inOperatorFiles(),
    ...(await onMachines(target)),
  ];
  return Promise.all(
    places.map(async ({ name, source, values, shaped = [] }): Promise<Finding> => {
      const found = [
        ...(await findRealSecrets(values, ownVault)),
        ...shaped.map((one) => refused(one, 'real-secret', 'it holds what looks like a credential')),
      ];
      const read = Object.keys(values).length;
      return {
        subject: `credentials in ${name}`,
        status: found.length > 0 ? 'unmet' : read === 0 ? 'unknown' : 'met',
        expected: 'none of production',
        actual:
          found.length > 0
            ? found
                .map(({ subject, reason }) => `${subject.replace('environment variable ', '')}: ${reason}`)
                .join('; ')
            : `none among ${read}`,
        source,
      };
    }),
  );
}

const keyValue = z.object({ data: z.record(z.string(), z.unknown()) });

/** Every value below kvv2/, two folders deep (`<instance>/config`, seed 003). */
async function inVault(vault: VaultClient): Promise<Place> {
  const values: Record<string, string> = {};
  const visit = async (folder: string, depth: number): Promise<void> => {
    for (const key of await vault.list(`kvv2/metadata/${folder}`)) {
      if (key.endsWith('/')) {
        if (depth < 4) await visit(`${folder}${key}`, depth + 1);
        continue;
      }
      const secret = await vault.read(`kvv2/data/${folder}${key}`, keyValue);
      for (const [name, value] of Object.entries(secret?.data ?? {}))
        values[`kvv2/${folder}${key}/${name}`] = typeof value === 'string' ? value : JSON.stringify(value);
    }
  };
  await visit('', 0);
  return { name: 'Vault', source: 'kvv2/', values };
}

async function inKubernetes(kubernetes: KubernetesClient): Promise<Place> {
  const values: Record<string, string> = {};
  for (const namespace of await kubernetes.namespaces()) {
    for (const [key, value] of Object.entries(await kubernetes.secretValues(namespace)))
      values[`${namespace}/${key}`] = value;
  }
  return { name: 'Kubernetes', source: 'Secrets of every namespace', values };
}

function inOperatorFiles(): Place {
  const files = readdirSync(sandboxSecrets, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = [...files.map((entry) => join(entry.parentPath, entry.name)), ...secretsElsewhere];
  const values = Object.fromEntries(paths.map((path) => [basename(path), readFileSync(path, 'utf8')]));
  return { name: "the operator's files", source: sandboxSecrets, values };
}

/**
 * The environment of every process on every machine. Values stay there: the machine prints the variables' names, and the
 * names of those whose value has the shape of a credential.
 */
async function onMachines(target: Target): Promise<Place[]> {
  const environments = "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'";
  const script = `${environments} | grep -aoE '^[A-Za-z_][A-Za-z0-9_]*=' | sort -u; ${environments} | grep -aE '^[A-Za-z_][A-Za-z0-9_]*=(${credentialShapes})' | sed 's/=.*/=shaped/' | sort -u`;
  return Promise.all(
    target.inventory.machines.map(async ({ name }) => {
      const { stdout } = await target.onMachine(name, [script]);
      const lines = stdout.split('\n').map((line) => line.trim().split('='));
      const values = Object.fromEntries(
        lines
          .filter(([variable]) => variable !== '')
          .map(([variable = '']): [string, string] => [variable, 'not shown']),
      );
      const shaped = lines.filter(([, mark]) => mark === 'shaped').map(([variable = '']) => variable);
      return { name: `the processes of ${name}`, source: `ssh ${name} cat /proc/*/environ`, values, shaped };
    }),
  );
}
