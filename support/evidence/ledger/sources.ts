import { statSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
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
  const shown = relative(projectRoot, path).startsWith('..') ? path : relative(projectRoot, path) || '.';
  const about = { role, path: shown };
  const whole = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const folder = whole ? path : dirname(path);
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('git', ['-C', folder, ...args], { allowFailure: true });
    return stdout.trimEnd();
  };
  try {
    // Two processes, at once: every run of every command waits for them. What git cannot name it says again as it was asked.
    const [named, changes] = await Promise.all([
      git('rev-parse', '--show-toplevel', 'HEAD', `HEAD:./${whole ? '' : basename(path)}`),
      git('status', '--porcelain', '--untracked-files=all', '--', path),
    ]);
    const [root = '', commit = '', tree = ''] = named.split('\n');
    if (!hash.test(commit)) return about;
    const within = relative(root, path);
    const left = changes.split('\n').filter((line) => line !== '' && !isOneOf(root, line.slice(3), apart));
    return {
      ...about,
      commit,
      ...(hash.test(tree) ? { tree } : {}),
      ...(within === '' ? {} : { within }),
      dirty: left.length > 0,
    };
  } catch {
    // git is not there or not allowed to look: then the run is evidence for no commit.
    return about;
  }
}

function isOneOf(root: string, changed: string, apart: readonly string[]): boolean {
  return apart.some((file) => resolve(root, changed.replace(/^"|"$/g, '')) === resolve(file));
}

/** The suite's own checkout and the factory. */
export function commonSources(): Promise<Source[]> {
  return Promise.all([sourceOf('suite', projectRoot), sourceOf('factory', factoryHome)]);
}
