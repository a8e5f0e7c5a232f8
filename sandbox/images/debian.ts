import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { run } from '../../support/command';
import { OperatorError } from '../../support/failure';
import { cacheHome } from '../../support/paths';
import { acquireLock } from '../lock';
import type { OnProgress } from '../progress';

/** A Debian file tree made by mmdebstrap and kept by what decides its content. */
export interface DebianTree {
  name: string;
  suite: 'bookworm';
  /** mmdebstrap's variant: `minbase` installs, `extract` only unpacks (no maintainer script runs). */
  variant: 'minbase' | 'extract';
  packages: readonly string[];
  /** Paths dpkg does not unpack. */
  excluded: readonly string[];
  /** Shell commands run on the finished tree, which they get as "$1". */
  afterwards: readonly string[];
}

/** What neither a machine nor an image reads. Copyright files stay: the packages' licences ask for it. */
const unread = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/info/*',
  '/usr/share/locale/*',
  '/usr/share/lintian/*',
];

/** The root file system of every machine, before anything is configured on it. */
export const machineBase: DebianTree = {
  name: 'machine',
  suite: 'bookworm',
  variant: 'minbase',
  packages: [
    ...['openssh-server', 'runit', 'ca-certificates', 'openssl', 'curl', 'git', 'less', 'procps', 'kmod'],
    ...['iproute2', 'iptables', 'nftables', 'conntrack', 'ethtool', 'iputils-ping', 'socat', 'e2fsprogs'],
    ...['containerd', 'runc', 'containernetworking-plugins', 'docker-registry'],
    ...['python3', 'python3-psycopg2', 'postgresql-15', 'pgbouncer'],
  ],
  excluded: unread,
  afterwards: [
    // Each machine makes its own host keys, and its own database cluster on its disk.
    'rm -f "$1"/etc/ssh/ssh_host_*',
    'rm -rf "$1"/var/lib/postgresql/15/main "$1"/etc/postgresql/15/main',
  ],
};

/** The programs that images need beside the forge's binaries: what Argo CD calls, Redis, a shell. */
export const imageTools: DebianTree = {
  name: 'image-tools',
  suite: 'bookworm',
  variant: 'extract',
  packages: [
    ...['git', 'openssh-client', 'gpg', 'gpg-agent', 'tini', 'redis-server', 'busybox-static'],
    ...['bash', 'coreutils', 'dash', 'grep', 'sed', 'tzdata'],
  ],
  // git's Perl commands (svn, send-email) are the only users of Perl here.
  excluded: [...unread, '/usr/share/perl*', '/usr/lib/*/perl*', '/usr/lib/*/gconv/*', '/usr/share/i18n/*'],
  afterwards: [],
};

/** The machines' base system: a path that stays valid until its package list changes. See `ensureDebianTree`. */
export async function ensureMachineBase(options: { onProgress?: OnProgress } = {}): Promise<string> {
  return ensureDebianTree(machineBase, options);
}

/** Where a tree lies once it is made. */
export function debianTreePath(tree: DebianTree): string {
  return join(cacheHome, 'base', `${tree.name}-${debianTreeKey(tree)}`, 'rootfs');
}

/** Short hash of everything that decides a tree's content. */
export function debianTreeKey(tree: DebianTree): string {
  return createHash('sha256').update(JSON.stringify(tree)).digest('hex').slice(0, 12);
}

/**
 * Makes a tree unless it is there. It appears whole or not at all, and older ones of the same name are removed.
 * @throws OperatorError when not root, mmdebstrap is missing, Debian's mirror is out of reach, or another process makes it.
 */
export async function ensureDebianTree(tree: DebianTree, options: { onProgress?: OnProgress } = {}): Promise<string> {
  const path = debianTreePath(tree);
  if (existsSync(path)) return path;
  requireRoot(tree);
  const folder = dirname(path);
  const parent = dirname(folder);
  const lock = acquireLock(`the making of the ${tree.name} base system`, join(parent, `${tree.name}.lock`));
  try {
    if (existsSync(path)) return path;
    const started = Date.now();
    const tell = (text: string, final = false): void =>
      options.onProgress?.({ subject: `${tree.name} base`, text, final });
    await removeOthers(parent, tree.name, basename(folder));
    const draft = join(parent, `${tree.name}-draft`);
    // What a killed mmdebstrap had started may still write for a moment.
    await rm(draft, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    await mkdir(draft, { recursive: true });
    tell(`Debian ${tree.suite} with ${tree.packages.length} packages`);
    await mmdebstrap(tree, join(draft, 'rootfs'), (line) => tell(line.replace(/^[IW]: /, '')));
    await rename(draft, folder);
    tell(`made in ${((Date.now() - started) / 1000).toFixed(0)} s`, true);
    return path;
  } finally {
    lock.release();
  }
}

async function mmdebstrap(tree: DebianTree, target: string, onLine: (line: string) => void): Promise<void> {
  const present = await run('sh', ['-c', 'command -v mmdebstrap'], { allowFailure: true });
  if (present.exitCode !== 0) throw notMade(tree, 'no mmdebstrap on the PATH', 'apt-get install -y mmdebstrap');
  const made = await run(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'mmdebstrap', '--mode=root', `--variant=${tree.variant}`, '--format=directory'],
      `--include=${tree.packages.join(',')}`,
      ...tree.excluded.map((path) => `--dpkgopt=path-exclude=${path}`),
      '--dpkgopt=path-include=/usr/share/doc/*/copyright',
      '--aptopt=APT::Install-Recommends "false"',
      ...tree.afterwards.map((command) => `--customize-hook=${command}`),
      tree.suite,
      target,
    ],
    // Reproducible file times; the tree's age is nobody's business.
    { timeoutMs: 20 * 60_000, env: { SOURCE_DATE_EPOCH: '1' }, onLine, allowFailure: true },
  );
  if (made.exitCode !== 0) {
    const errors = made.stderr.split('\n').filter((line) => line.startsWith('E: '));
    const seen = errors.slice(0, 2).join(' | ') || `mmdebstrap ended with ${made.exitCode}`;
    throw notMade(
      tree,
      seen,
      "check that Debian's mirror can be reached (apt-get update) and that the disk has 2 GiB free.",
    );
  }
}

function notMade(tree: DebianTree, seen: string, next: string): OperatorError {
  return new OperatorError({ attempted: `make the ${tree.name} base system`, seen, next });
}

/** Trees of earlier package lists are of no use any more. One that a machine of a running lab still has mounted is left to it. */
async function removeOthers(parent: string, name: string, wanted: string): Promise<void> {
  for (const entry of readdirSync(parent)) {
    if (!new RegExp(`^${name}-[0-9a-f]{12}$`).test(entry) || entry === wanted) continue;
    if (!isMounted(join(parent, entry))) await rm(join(parent, entry), { recursive: true, force: true });
  }
}

/** Whether any process sees a mount of a path below `folder`. Machines have mount namespaces of their own, so each is asked. */
function isMounted(folder: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/mounts`, 'utf8').includes(folder);
    } catch {
      return false; // The process ended meanwhile.
    }
  });
}

function requireRoot(tree: DebianTree): void {
  if (process.getuid?.() === 0) return;
  throw new OperatorError({
    attempted: `make the ${tree.name} base system`,
    expected: 'root (Debian packages are unpacked with their owners)',
    seen: `user ${process.getuid?.() ?? 'unknown'}`,
    next: 'run the same command as root.',
  });
}
