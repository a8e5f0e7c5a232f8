import { existsSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../support/failure';
import { cacheHome, forgeHome } from '../../support/paths';

/** A stand-in provider under the source name and version that the factory's HCL asks for. */
interface Provider {
  namespace: string;
  name: string;
  /** As the factory pins it. */
  version: string;
}

/** The providers of the mirror. Versions are those of the factory's lock files (seed 004); the PostgreSQL one is chosen here. */
export const providers: readonly Provider[] = [
  { namespace: 'cyrilgdn', name: 'postgresql', version: '1.26.0' },
  { namespace: 'hashicorp', name: 'vault', version: '4.4.0' },
  { namespace: 'hashicorp', name: 'random', version: '3.9.0' },
];

/** Where the mirror and the configuration file for it lie. */
export const mirrorHome = join(cacheHome, 'tofu');

/** The configuration that makes OpenTofu install from the mirror and from nowhere else (TF_CLI_CONFIG_FILE). */
export const mirrorConfiguration = join(mirrorHome, 'tofurc');

/**
 * Lays the built providers out as a `filesystem_mirror` and writes the configuration that uses it. They are linked, so
 * that a newly built provider is used at once; OpenTofu never asks a registry.
 * @param binDir holds the built `terraform-provider-*`.
 * @param home is made where it is missing; its `providers/` is made anew.
 * @throws OperatorError when a provider is not built.
 */
export async function writeProviderMirror(binDir = join(forgeHome, 'bin'), home = mirrorHome): Promise<void> {
  const staged = join(home, `providers.${process.pid}`);
  const mirror = join(home, 'providers');
  for (const { namespace, name, version } of providers) {
    const binary = join(binDir, `terraform-provider-${name}`);
    if (!existsSync(binary)) throw notBuilt(binary);
    const folder = join(staged, 'registry.opentofu.org', namespace, name, version, platform());
    await mkdir(folder, { recursive: true });
    await symlink(binary, join(folder, `terraform-provider-${name}_v${version}`));
  }
  await rm(mirror, { recursive: true, force: true });
  await rename(staged, mirror);
  await writeFile(
    join(home, 'tofurc'),
    [
      'disable_checkpoint = true',
      'provider_installation {',
      `  filesystem_mirror { path = ${JSON.stringify(mirror)} }`,
      '}',
      '',
    ].join('\n'),
  );
}

/** This machine as OpenTofu names it. */
function platform(): string {
  return `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;
}

function notBuilt(binary: string): OperatorError {
  return new OperatorError({
    attempted: 'lay out the OpenTofu providers',
    where: binary,
    expected: 'a built provider',
    seen: 'no such file',
    next: 'run `npm run lab -- forge standins` and then the same command again.',
  });
}
