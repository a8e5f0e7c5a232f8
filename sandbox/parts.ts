import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import type { ComponentState } from './forge/states';

/** One part of the sandbox, and how real it is. */
export interface Part {
  name: string;
  /** What it plays. */
  role: string;
  version: string;
  /** `upstream`: the named project's own code; `substitute`: another upstream in the same role; `stand-in`: written here. */
  provenance: 'upstream' | 'substitute' | 'stand-in';
  /** Where it comes from: the forge, a Debian package, this host. */
  source: string;
  state: string;
}

/** Debian packages of the machines' base system that play a part. */
const debianParts: { name: string; role: string; package: string }[] = [
  { name: 'postgres', role: 'database outside the cluster', package: 'postgresql-15' },
  { name: 'pgbouncer', role: 'connection pool of Postgres', package: 'pgbouncer' },
  { name: 'containerd', role: 'container runtime of the nodes', package: 'containerd' },
  { name: 'runc', role: 'container runtime of the nodes', package: 'runc' },
  { name: 'cni-plugins', role: 'pod network', package: 'containernetworking-plugins' },
  { name: 'registry', role: 'answers for upstream image registries', package: 'docker-registry' },
  { name: 'openssh', role: 'SSH service of the machines', package: 'openssh-server' },
  { name: 'runit', role: 'init and supervision of the machines', package: 'runit' },
];

/**
 * All parts of the sandbox with version and provenance.
 * @param base the machines' base system, whose package database says the Debian versions; undefined when the disk that
 *   has it is not mounted, and so nothing can be said of them.
 */
export function parts(base: string | undefined, components: readonly ComponentState[]): Part[] {
  const versions = base === undefined ? new Map<string, string>() : packageVersions(base);
  return [
    {
      name: 'machines',
      role: 'the Raspberry Pis pi1 to pi3',
      version: `Linux ${release()}`,
      provenance: 'stand-in',
      source: 'namespaces of this host',
      state: 'ready',
    },
    ...components.map(({ name, role, version, provenance, state }) => ({
      name,
      role,
      version,
      provenance,
      source: provenance === 'stand-in' ? 'sandbox/standins' : 'forge',
      state,
    })),
    ...debianParts.map(({ name, role, package: debianPackage }) => {
      const version = versions.get(debianPackage);
      return {
        name,
        role,
        version: version ?? '?',
        provenance: 'upstream' as const,
        source: `Debian ${debianPackage}`,
        state: version !== undefined ? 'ready' : base === undefined ? 'unknown' : 'missing',
      };
    }),
  ];
}

/** Versions of the packages installed in a Debian root file system. */
export function packageVersions(root: string): Map<string, string> {
  const file = join(root, 'var', 'lib', 'dpkg', 'status');
  if (!existsSync(file)) return new Map();
  const versions = new Map<string, string>();
  for (const paragraph of readFileSync(file, 'utf8').split('\n\n')) {
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1];
    const name = field('Package');
    const version = field('Version');
    if (name && version && field('Status') === 'install ok installed') versions.set(name, version);
  }
  return versions;
}
