import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { run } from '../support/command';
import { reason } from '../support/failure';
import type { Finding } from '../support/finding';
import type { Inventory } from '../support/inventory';
import { labHome } from '../support/paths';
import { serverIsInstalled, serverPrograms } from '../support/postgres/scratch';
import { forgeChecks } from './forge/checks';
import { missingControllers } from './machines/cgroups';
import { diskMounted, freeBytes, freeBytesNeeded } from './machines/disk';
import { bridgeName, diskImage } from './machines/layout';
import { bridgeTaken, takenSubnets } from './machines/network';

/** Something the lab needs of its host. */
export interface Requirement {
  finding: Finding;
  /** Without it `lab up` does not begin. */
  hard: boolean;
  /** Debian packages that provide it. */
  packages: string[];
}

const GiB = 1024 ** 3;
const memoryNeeded = 8 * GiB;

/** Programs of the host and the Debian package each comes with. */
const programs: Record<string, string> = {
  ip: 'iproute2',
  nft: 'nftables',
  'mkfs.btrfs': 'btrfs-progs',
  btrfs: 'btrfs-progs',
  losetup: 'mount',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  mmdebstrap: 'mmdebstrap',
  skopeo: 'skopeo',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  git: 'git',
  psql: 'postgresql-client-15',
  openssl: 'openssl',
  setpriv: 'util-linux',
  gcc: 'gcc',
  tar: 'tar',
  zstd: 'zstd',
};

/**
 * Looks at this host; changes nothing.
 * @param options.components also look at what building the components needs.
 */
export async function requirements(inventory: Inventory, options: { components: boolean }): Promise<Requirement[]> {
  const own = await ownRequirements(inventory);
  if (!options.components) return own;
  const known = new Set(own.map(({ finding }) => finding.subject));
  const forge = (await forgeChecks()).filter((finding) => !known.has(finding.subject));
  return [...own, ...forge.map((finding) => ({ finding, hard: true, packages: [] }))];
}

async function ownRequirements(inventory: Inventory): Promise<Requirement[]> {
  return [
    met(
      'user',
      process.getuid?.() === 0,
      'root',
      `user ${process.getuid?.() ?? '?'}`,
      'become root: `sudo -i`, or run the command with sudo.',
    ),
    met(
      'operating system',
      process.platform === 'linux',
      'linux',
      process.platform,
      'use a Linux machine, or a virtual one.',
    ),
    nodeVersion(),
    ...Object.entries(programs).map(([program, debianPackage]) => programPresent(program, debianPackage)),
    scratchPostgres(),
    await pythonVenv(),
    kernelHas(
      'file system btrfs',
      kernelFileSystem('btrfs'),
      'load it (`modprobe btrfs`) or use a kernel that has it: snapshots need it.',
    ),
    kernelHas(
      'file system overlay',
      kernelFileSystem('overlay'),
      'load it (`modprobe overlay`) or use a kernel that has it.',
    ),
    kernelHas(
      'loop devices',
      existsSync('/dev/loop-control'),
      'load them (`modprobe loop`) or use a kernel that has them.',
    ),
    cgroups(),
    memory(),
    disk(),
    await subnets(inventory),
    await bridge(inventory),
    forwarding(),
  ];
}

function met(
  subject: string,
  ok: boolean,
  expected: string,
  actual: string,
  hint: string,
  options: { hard?: boolean; packages?: string[]; source?: string } = {},
): Requirement {
  const finding: Finding = {
    subject,
    status: ok ? 'met' : 'unmet',
    expected,
    actual,
    source: options.source ?? 'this host',
    hint,
  };
  return { finding, hard: options.hard ?? true, packages: options.packages ?? [] };
}

function nodeVersion(): Requirement {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  return met(
    'Node.js',
    ok,
    '20.19 or newer',
    process.versions.node,
    'install Node.js 22 (https://nodejs.org or your distribution).',
  );
}

function programPresent(program: string, debianPackage: string): Requirement {
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(executable);
  return met(
    program,
    found !== undefined,
    'installed',
    found ?? 'not on PATH',
    `install it: \`apt-get install ${debianPackage}\`.`,
    { packages: [debianPackage] },
  );
}

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Not needed to bring the lab up, but to prove that what it backs up comes back in an empty server. */
function scratchPostgres(): Requirement {
  const there = serverIsInstalled();
  return met(
    'Postgres 15 server',
    there,
    'installed',
    there ? serverPrograms : `no initdb in ${serverPrograms}`,
    'install it: `npm run lab -- install-deps` (postgresql-15, without the server that Debian would start).',
    { hard: false, packages: ['postgresql-15'] },
  );
}

async function pythonVenv(): Promise<Requirement> {
  let seen = 'installed';
  try {
    const tried = await run('python3', ['-c', 'import ensurepip, venv'], { allowFailure: true });
    if (tried.exitCode !== 0) seen = 'python3 without venv';
  } catch (thrown) {
    seen = reason(thrown);
  }
  return met(
    'Python with venv',
    seen === 'installed',
    'installed',
    seen,
    'install it: `apt-get install python3-venv`.',
    { packages: ['python3-venv'] },
  );
}

function kernelHas(subject: string, ok: boolean, hint: string): Requirement {
  return met(subject, ok, 'in the kernel', ok ? 'in the kernel' : 'not there', hint, {
    source: '/proc/filesystems, /dev',
  });
}

/** Built in or loaded; a module on disk is loaded by the first mount. */
function kernelFileSystem(name: string): boolean {
  if (readFileSync('/proc/filesystems', 'utf8').split(/\s+/).includes(name)) return true;
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  const modules = `/lib/modules/${release}/modules.dep`;
  return existsSync(modules) && readFileSync(modules, 'utf8').includes(`/${name}.ko`);
}

function cgroups(): Requirement {
  const missing = missingControllers();
  return met(
    'cgroups',
    missing.length === 0,
    'cpu, cpuset, memory, pids',
    missing.length === 0 ? 'all there' : `without ${missing.join(', ')}`,
    'boot with cgroup controllers enabled (kernel parameters `cgroup_enable=memory cgroup_enable=cpuset`).',
  );
}

function memory(): Requirement {
  // A machine sold as 8 GiB reports a little less.
  const total = totalmem();
  return met(
    'memory',
    total >= memoryNeeded * 0.94,
    '8 GiB',
    `${(total / GiB).toFixed(1)} GiB`,
    'use a machine with more memory, or give the virtual one more.',
  );
}

function disk(): Requirement {
  let folder = labHome;
  while (!existsSync(folder)) folder = dirname(folder);
  const free = freeBytes(folder);
  const ok = free >= freeBytesNeeded || existsSync(diskImage) || diskMounted();
  return met(
    `disk at ${labHome}`,
    ok,
    `${freeBytesNeeded / GiB} GiB free`,
    `${(free / GiB).toFixed(1)} GiB`,
    'free some space, or set LAB_HOME to a folder on a larger disk.',
  );
}

async function subnets(inventory: Inventory): Promise<Requirement> {
  const { stdout } = await run('ip', ['-json', '-4', 'route', 'show', 'table', 'all'], { allowFailure: true }).catch(
    () => ({ stdout: '[]' }),
  );
  const taken = takenSubnets(inventory, stdout || '[]');
  const first = taken[0];
  const hint = first
    ? `remove it (\`ip route del ${first.route} dev ${first.device}\`), or end the VPN or container network that made it.`
    : 'nothing to do.';
  const seen = taken.map((t) => `${t.route} on ${t.device}`).join(', ') || 'free';
  return met('lab networks', first === undefined, `no route into ${first?.wanted ?? 'them'}`, seen, hint, {
    source: 'ip route',
  });
}

async function bridge(inventory: Inventory): Promise<Requirement> {
  const taken = await bridgeTaken(inventory).catch(() => undefined);
  return met(
    `bridge ${bridgeName}`,
    taken === undefined,
    "free or the lab's own",
    taken ?? "free or the lab's own",
    `remove it if nothing needs it: \`ip link del ${bridgeName}\`.`,
    { source: 'ip link' },
  );
}

/** With Docker's rules the kernel also filters frames between two ports of a bridge, and drops them by default. */
function forwarding(): Requirement {
  const setting = '/proc/sys/net/bridge/bridge-nf-call-iptables';
  const calls = existsSync(setting) && readFileSync(setting, 'utf8').trim() === '1';
  const docker = existsSync('/sys/class/net/docker0');
  return met(
    'bridged traffic',
    !(calls && docker),
    'not filtered by Docker',
    calls && docker ? `${setting} is 1 and docker0 exists` : 'not filtered',
    `if machines cannot reach each other: \`iptables -I DOCKER-USER -i ${bridgeName} -o ${bridgeName} -j ACCEPT\`.`,
    { hard: false },
  );
}
