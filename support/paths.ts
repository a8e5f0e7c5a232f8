import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { chosenConfiguration } from './configuration/read';

/** The checkout's root folder. */
export const projectRoot = resolve(__dirname, '..');

/** Where runs leave reports; not committed. Override with REPORTS_OUT. */
export const reportsOut = resolve(process.env['REPORTS_OUT'] || join(projectRoot, 'reports', 'out'));

/** The lab's own disk, machines and run state. Root's; override with LAB_HOME. */
export const labHome = process.env['LAB_HOME'] ?? '/var/lib/sandbox-acceptance';

/** Per-user cache of built components. */
export const cacheHome = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sandbox-acceptance');

/** The forge's store: bin/ (binaries), share/ (files that belong to a component), manifest.json. */
export const forgeHome = join(cacheHome, 'forge');

/** What TARGET's configuration file says, for a target that has one. */
const chosen = chosenConfiguration();
const configured = chosen !== undefined && 'read' in chosen ? chosen.read.configuration : undefined;

/** What the suite keeps about a target between runs: undo records, its lock, the inventory it composed. */
export const targetHome =
  chosen === undefined
    ? labHome
    : join(
        process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'),
        'sandbox-acceptance',
        process.env['TARGET'] ?? '',
      );

/** The operator's sandbox secrets (seed 002, "Vault-seal": ~/.arcodange/sandbox/cluster-keys.json). Mode 0700. */
export const sandboxSecrets = configured?.secrets ?? join(homedir(), '.arcodange', 'sandbox');

/** Secrets that the configuration keeps elsewhere, by their name in the secrets folder. */
const elsewhere: Readonly<Record<string, string | undefined>> = {
  kubeconfig: configured?.kubernetes.kubeconfig,
  'cluster-keys.json': configured?.vault.keys,
  'postgres-admin.json': configured?.postgres.credentials,
  'gitea-admin.json': configured?.gitea.credentials,
  'ci-jwt.key': configured?.ci_key,
};

/** A program of the forge; where it was not built (a Mac that drives TARGET=vms), the one of that name in PATH. */
export function forgeProgram(name: string): string {
  const built = join(forgeHome, 'bin', name);
  return chosen === undefined || existsSync(built) ? built : name;
}

/** Where a secret of the sandbox lies, by its name in the secrets folder. */
export function secretPath(name: string): string {
  return elsewhere[name] ?? join(sandboxSecrets, name);
}

/** Secrets outside of the secrets folder. */
export const secretsElsewhere = Object.values(elsewhere).filter((file) => file !== undefined);

/**
 * The inventory: the only file that names machines, addresses and endpoints. Composed for a target with a configuration. A
 * second lab beside the first has one of its own, in LAB_INVENTORY: lab, suite and Ansible must not mean different ones.
 */
export const inventoryFile =
  chosen === undefined
    ? resolve(process.env['LAB_INVENTORY'] || join(projectRoot, 'sandbox', 'inventory', 'sandbox', 'hosts.yml'))
    : join(targetHome, 'inventory', 'hosts.yml');

/** The reference factory, or the operator's own with FACTORY=../factory or in the configuration. */
export const factoryHome = process.env['FACTORY']
  ? resolve(process.env['FACTORY'])
  : (configured?.factory ?? join(projectRoot, 'sandbox', 'factory'));

/** Where the target says how it deviates from production. */
export const deviationsFile =
  configured?.deviations ?? join(projectRoot, 'sandbox', 'deviations', `${process.env['TARGET'] || 'embedded'}.yml`);

/** The runbook in use: RUNBOOK, or the configuration's, or the project's own. */
export function runbookFile(): string {
  const own = process.env['RUNBOOK'];
  return own ? resolve(own) : (configured?.runbook ?? join(projectRoot, 'drills', 'CLUSTER_RECOVERY.md'));
}

/** A time as it may stand in a file's name: `20261129T085900Z`. @param iso ISO 8601 in UTC. */
export function timeInName(iso: string): string {
  return iso.replaceAll(/[-:]|\.\d+/g, '');
}
