import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

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

/** The operator's sandbox secrets (seed 002, "Vault-seal": ~/.arcodange/sandbox/cluster-keys.json). Mode 0700. */
export const sandboxSecrets = join(homedir(), '.arcodange', 'sandbox');

/** The inventory: the only file that names machines, addresses and endpoints. */
export const inventoryFile = join(projectRoot, 'sandbox', 'inventory', 'sandbox', 'hosts.yml');

/** The reference factory, or the operator's own with FACTORY=../factory. */
export const factoryHome = process.env['FACTORY']
  ? resolve(process.env['FACTORY'])
  : join(projectRoot, 'sandbox', 'factory');
