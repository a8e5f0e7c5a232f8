import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../support/command';
import { OperatorError } from '../support/failure';
import type { Inventory } from '../support/inventory';
import { requirements, type Requirement } from './lab-doctor';

/** Where Debian's postgresql-common reads what it does with a new server (pg_createcluster(1), include_dir). */
const clusterDefaults = '/etc/postgresql-common/createcluster.d';

/**
 * Makes sure that this host can carry the lab: installs Debian packages that are missing, and asks for everything else.
 * @param options.components also look at what building the components needs.
 * @param say receives a line before packages are installed, and one for each.
 * @throws OperatorError (exit code 2) naming all that is still lacking.
 */
export async function prepareHost(
  inventory: Inventory,
  options: { components: boolean },
  say: (line: string) => void,
): Promise<void> {
  const found = await requirements(inventory, options);
  const packages = packagesMissing(found);
  if (packages.length === 0 || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return assertMet(found);
  // What no package provides is said before anything on this host is changed.
  assertMet(found.filter((requirement) => requirement.packages.length === 0));
  say(`installing the Debian packages this host lacks: ${packages.join(' ')}`);
  await installMissing(found, (line) => {
    // One line a package; the rest of apt-get's talk is for the day it fails, when its error is shown.
    if (/^Setting up /.test(line)) say(line.trim());
  });
  assertMet(await requirements(inventory, options));
}

/** @throws OperatorError for the first hard requirement that is not met, naming all of them. */
export function assertMet(found: readonly Requirement[]): void {
  const failing = found.filter((requirement) => requirement.hard && requirement.finding.status !== 'met');
  const first = failing[0];
  if (first === undefined) return;
  throw new OperatorError({
    attempted: 'begin the lab',
    where: 'this host',
    expected: failing.map(({ finding }) => `${finding.subject}: ${finding.expected}`).join('; '),
    seen: failing.map(({ finding }) => `${finding.subject}: ${finding.actual}`).join('; '),
    next:
      packagesMissing(failing).length > 1
        ? 'run `npm run lab -- install-deps`, then this command again.'
        : (first.finding.hint ?? 'run `npm run lab -- doctor`.'),
    exitCode: 2,
  });
}

/** Installs the Debian packages whose programs are missing. @returns their names. */
export async function installMissing(found: readonly Requirement[], onLine: (line: string) => void): Promise<string[]> {
  const packages = packagesMissing(found);
  if (packages.length === 0) return [];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  // Debian starts a server of its own with the package; here only its programs are needed.
  if (packages.includes('postgresql-15')) {
    mkdirSync(clusterDefaults, { recursive: true });
    writeFileSync(join(clusterDefaults, 'sandbox-acceptance.conf'), 'create_main_cluster = false\n');
  }
  await run('apt-get', ['update', '--quiet'], { env, onLine, timeoutMs: 600_000 });
  await run('apt-get', ['install', '--quiet', '--yes', '--no-install-recommends', ...packages], {
    env,
    onLine,
    timeoutMs: 1_800_000,
  });
  return packages;
}

function packagesMissing(found: readonly Requirement[]): string[] {
  const missing = found.filter(({ finding }) => finding.status !== 'met').flatMap(({ packages }) => packages);
  return [...new Set(missing)];
}
