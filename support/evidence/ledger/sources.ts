import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { run } from '../../command';
import { factoryHome, projectRoot } from '../../paths';
import type { Source } from './entry';

const hash = /^[0-9a-f]{40,64}$/;

/**
 * What a folder or file was at the moment of a run: commit, content hash, whether files differ from the commit. Outside of a
 * git checkout only its path is said. Never throws.
 * @param apart files whose changes do not count: the plan that is being judged.
 */
export async function sourceOf(role: Source['role'], path: string, apart: readonly string[] = []): Promise<Source> {
  const [source = { role, path: shown(path) }] = await sourcesIn(path, [{ role, path }], apart);
  return source;
}

/** The suite's own checkout and the factory. */
export async function commonSources(): Promise<Source[]> {
  const suite = { role: 'suite', path: projectRoot } as const;
  const factory = { role: 'factory', path: factoryHome } as const;
  // The reference factory lies in the suite's checkout: git is asked about both at once.
  const inside = factoryHome.startsWith(`${projectRoot}/`) && existsSync(factoryHome);
  if (inside && realpathSync(factoryHome) === factoryHome) return sourcesIn(projectRoot, [suite, factory]);
  return (await Promise.all([suite, factory].map((one) => sourcesIn(one.path, [one])))).flat();
}

/** Some folders or files of one checkout. @param around the path that all of them are in. */
async function sourcesIn(
  around: string,
  asked: readonly { role: Source['role']; path: string }[],
  apart: readonly string[] = [],
): Promise<Source[]> {
  const whole = statSync(around, { throwIfNoEntry: false })?.isDirectory() === true;
  const folder = whole ? around : dirname(around);
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('git', ['-C', folder, ...args], { allowFailure: true });
    return stdout.trimEnd();
  };
  const unknown = asked.map(({ role, path }) => ({ role, path: shown(path) }));
  try {
    // Two processes, at once: every run of every command waits for them. What git cannot name it says again as it was asked.
    const [named, changes] = await Promise.all([
      git('rev-parse', '--show-toplevel', 'HEAD', ...asked.map(({ path }) => `HEAD:./${relative(folder, path)}`)),
      // Without renames, of which git would tell both names in one line.
      git('status', '--porcelain', '-z', '--no-renames', '--untracked-files=all', '--', around),
    ]);
    const [root = '', commit = '', ...trees] = named.split('\n');
    if (!hash.test(commit)) return unknown;
    const left = changes
      .split('\0')
      .filter((line) => line !== '')
      .map((line) => resolve(root, line.slice(3)))
      .filter((path) => !apart.some((file) => resolve(file) === path));
    return asked.map(({ role, path }, index) => {
      const within = relative(root, path);
      const tree = trees[index] ?? '';
      return {
        role,
        path: shown(path),
        commit,
        ...(hash.test(tree) ? { tree } : {}),
        ...(within === '' ? {} : { within }),
        dirty: left.some((one) => path === around || one === path || one.startsWith(`${path}/`)),
      };
    });
  } catch {
    // git is not there or not allowed to look: then the run is evidence for no commit.
    return unknown;
  }
}

function shown(path: string): string {
  return relative(projectRoot, path).startsWith('..') ? path : relative(projectRoot, path) || '.';
}
