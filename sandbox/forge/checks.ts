import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import { run } from '../../support/command';
import type { Finding } from '../../support/finding';
import { cacheHome } from '../../support/paths';
import { freeGiB } from './caches';
import { goVersion, howToGetGo, isAtLeast, requiredGo } from './go';
import { fetchableGo } from './go-toolchain';
import { recipes } from './recipes';
import { componentStates } from './states';

/** Programs the forge and the images call, with the Debian package that brings each. */
const programs = [
  { program: 'setpriv', package: 'util-linux', why: 'a killed forge leaves no build behind' },
  { program: 'gcc', package: 'gcc libc6-dev', why: "Gitea's SQLite and the pause process are C" },
  { program: 'mmdebstrap', package: 'mmdebstrap', why: "makes the machines' base system" },
  { program: 'skopeo', package: 'skopeo', why: 'brings images into the registry' },
  { program: 'tar', package: 'tar', why: 'packs what forge --export carries' },
  { program: 'zstd', package: 'zstd', why: 'compresses .tar.zst archives' },
] as const;

/** The lab with everything converged peaks below 8 GiB (issue 3). */
const neededMemoryGiB = 8;
/** Base system and images, and the Go caches of the largest component; with more, all components share one cache and build faster. */
const keptGiB = 3;

/** What the forge and the images lack on this machine, and how to get it. Changes nothing. */
export async function forgeChecks(): Promise<Finding[]> {
  const components = await componentStates();
  const missing = components.filter((component) => component.state !== 'built').map((component) => component.name);
  return [
    {
      subject: 'built components',
      // Not built yet is where everyone starts: `up` builds them. Only what building needs can be lacking.
      status: 'met',
      expected: 'built, or buildable',
      actual:
        missing.length === 0
          ? `all ${components.length} built`
          : `${missing.length} of ${components.length} to be built`,
      source: "the forge's manifest.json",
    },
    await goFinding(missing.length > 0),
    ...(await Promise.all(programs.map(programFinding))),
    await diskFinding(missing),
    memoryFinding(),
  ];
}

async function goFinding(needed: boolean): Promise<Finding> {
  const version = await goVersion();
  // Where there is none the forge fetches one; an older one is somebody's choice and is not passed over.
  const good = version === undefined || isAtLeast(version, requiredGo);
  return {
    subject: 'Go',
    status: good || !needed ? 'met' : 'unmet',
    expected: needed ? `${requiredGo} or newer` : 'not needed: all components are built',
    actual: version ?? (needed ? `none: the forge will fetch ${fetchableGo}` : 'none'),
    source: 'go version',
    ...(good ? {} : { hint: howToGetGo }),
  };
}

async function programFinding(wanted: (typeof programs)[number]): Promise<Finding> {
  const found = await run('sh', ['-c', 'command -v "$1"', 'sh', wanted.program], { allowFailure: true });
  const good = found.exitCode === 0;
  return {
    subject: wanted.program,
    status: good ? 'met' : 'unmet',
    expected: `on the PATH (${wanted.why})`,
    actual: good ? found.stdout : 'none',
    source: `command -v ${wanted.program}`,
    ...(good ? {} : { hint: `apt-get install -y ${wanted.package}` }),
  };
}

async function diskFinding(missing: readonly string[]): Promise<Finding> {
  const where = nearestFolder(cacheHome);
  const free = await freeGiB(where);
  const building = recipes.filter((recipe) => missing.includes(recipe.name)).map((recipe) => recipe.diskGiB);
  const needed = keptGiB + Math.max(0, ...building);
  const good = free >= needed;
  return {
    subject: 'disk for components, images and base system',
    status: good ? 'met' : 'unmet',
    expected: `${needed.toFixed(0)} GiB free`,
    actual: `${free.toFixed(1)} GiB`,
    source: `free space of ${where}`,
    ...(good ? {} : { hint: 'free disk space, or set XDG_CACHE_HOME to a larger disk.' }),
  };
}

function memoryFinding(): Finding {
  const total = totalmem() / 2 ** 30;
  // A machine sold as 8 GiB shows a little less.
  const good = total >= neededMemoryGiB * 0.95;
  return {
    subject: 'memory',
    status: good ? 'met' : 'unmet',
    expected: `${neededMemoryGiB} GiB`,
    actual: `${total.toFixed(1)} GiB`,
    source: 'total memory of this machine',
    ...(good ? {} : { hint: 'use a machine with more memory, or another target: k3d runs the fast inner loop.' }),
  };
}

function nearestFolder(folder: string): string {
  return existsSync(folder) ? folder : nearestFolder(dirname(folder));
}
