import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../command';
import { OperatorError, reason } from '../failure';
import { ansibleGuardEnvironment } from '../isolation/ansible';
import { cacheHome, factoryHome, forgeHome, inventoryFile, projectRoot } from '../paths';

const requirements = join(projectRoot, 'sandbox', 'factory', 'ansible', 'requirements.txt');

/** The private virtual environment that belongs to the pinned requirements. */
function environmentFolder(): string {
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  return join(cacheHome, 'ansible', key);
}

/** True when the pinned Ansible is installed already. */
export function ansibleInstalled(): boolean {
  return existsSync(join(environmentFolder(), 'complete'));
}

/**
 * Installs the pinned Ansible into a private virtual environment, once.
 * @returns the environment's folder.
 * @throws OperatorError when python3-venv is missing or PyPI cannot be reached.
 */
export async function ensureAnsible(onLine?: (line: string) => void): Promise<string> {
  const folder = environmentFolder();
  if (ansibleInstalled()) return folder;
  try {
    await mkdir(join(folder, '..'), { recursive: true });
    await rm(folder, { recursive: true, force: true });
    const progress = onLine === undefined ? {} : { onLine };
    // Made at its final place: a virtual environment's scripts carry their own path.
    await run('python3', ['-m', 'venv', folder], { timeoutMs: 120_000 });
    await run(
      join(folder, 'bin', 'pip'),
      // Of its hundred collections a handful is used: Python compiles those when they are first, and keeps that in the cache.
      ['install', '--disable-pip-version-check', '--no-input', '--no-compile', '--quiet', '-r', requirements],
      {
        timeoutMs: 900_000,
        ...progress,
      },
    );
    await writeFile(join(folder, 'complete'), '');
  } catch (thrown) {
    throw new OperatorError({
      attempted: 'install Ansible into a private virtual environment',
      where: folder,
      seen: reason(thrown),
      next: 'install python3-venv (`npm run lab -- doctor` lists what is missing), check that PyPI can be reached, and run the same command again.',
      cause: thrown,
    });
  }
  return folder;
}

/** Where mitogen's strategy plugins lie in the environment: they cut the cost of every task to a fraction. */
async function strategyPlugins(folder: string): Promise<string> {
  const found = await run(join(folder, 'bin', 'python'), [
    '-c',
    'import ansible_mitogen, os; print(os.path.dirname(ansible_mitogen.__file__))',
  ]);
  return join(found.stdout.trim(), 'plugins', 'strategy');
}

/** The environment variables of every Ansible command on the sandbox. */
export async function ansibleEnvironment(
  folder: string,
  extra: Record<string, string> = {},
): Promise<Record<string, string>> {
  const ansibleFolder = join(factoryHome, 'ansible');
  return {
    ANSIBLE_CONFIG: join(ansibleFolder, 'ansible.cfg'),
    ANSIBLE_INVENTORY: inventoryFile,
    ANSIBLE_STRATEGY: 'mitogen_linear',
    ANSIBLE_STRATEGY_PLUGINS: await strategyPlugins(folder),
    ANSIBLE_FORCE_COLOR: '0',
    ANSIBLE_LOCAL_TEMP: join(cacheHome, 'ansible', 'tmp'),
    FORGE_HOME: forgeHome,
    ...ansibleGuardEnvironment(join(ansibleFolder, 'ansible.cfg')),
    PATH: `${join(folder, 'bin')}:${join(forgeHome, 'bin')}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
    ...extra,
  };
}
