import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../../command';
import { renderAllRepositories, type RepositoryFiles } from '../../factory/repositories';
import type { GiteaClient } from '../../gitea/client';
import type { Inventory } from '../../inventory';
import { factoryHome } from '../../paths';
import type { GateResult } from '../result';
import { renderGate } from './gate';

/**
 * Compares every chart of the factory with the one that is deployed from Gitea: what is there must render as before.
 * @returns a result a repository with a chart.
 */
export async function renderOverDeployed(gitea: GiteaClient, inventory: Inventory): Promise<GateResult[]> {
  const results: GateResult[] = [];
  for (const [repository, files] of renderAllRepositories(factoryHome, inventory)) {
    const folder = ['chart', 'argocd'].find((one) => files.has(`${one}/Chart.yaml`));
    if (folder === undefined) continue;
    const deployed = await deployedFiles(gitea, repository, folder);
    results.push(await renderBetween(`${repository}/${folder}`, folder, deployed, files));
  }
  return results;
}

/** The render gate between two states of a repository. @param folder the chart's folder in it. @param called what the first is. */
export async function renderBetween(
  subject: string,
  folder: string,
  before: RepositoryFiles,
  after: RepositoryFiles,
  called = 'deployed',
): Promise<GateResult> {
  const checkout = mkdtempSync(join(tmpdir(), 'gate-deployed-'));
  try {
    await commit(checkout, before, called);
    rmSync(join(checkout, folder), { recursive: true, force: true });
    write(checkout, new Map([...after].filter(([path]) => path.startsWith(`${folder}/`))));
    return { ...(await renderGate(join(checkout, folder), { before: called })), subject };
  } finally {
    rmSync(checkout, { recursive: true, force: true });
  }
}

async function deployedFiles(gitea: GiteaClient, repository: string, folder: string): Promise<RepositoryFiles> {
  const files: RepositoryFiles = new Map();
  for (const name of (await gitea.folder(repository, folder)) ?? []) {
    const path = `${folder}/${name}`;
    // The API lists names only; a chart's folders have no dot in theirs.
    if (name.includes('.')) {
      const found = await gitea.file(repository, path);
      if (found !== undefined) files.set(path, found.text);
    } else {
      for (const [below, text] of await deployedFiles(gitea, repository, path)) files.set(below, text);
    }
  }
  return files;
}

async function commit(checkout: string, files: RepositoryFiles, called: string): Promise<void> {
  write(checkout, files);
  const git = (...args: string[]): Promise<unknown> => run('git', ['-C', checkout, ...args]);
  const author = ['-c', 'user.name=gate', '-c', 'user.email=gate@localhost', '-c', 'commit.gpgsign=false'];
  await git('init', '--quiet');
  await git('add', '--all');
  await git(...author, 'commit', '--quiet', '--allow-empty', '--message', called);
  await git('tag', called);
}

function write(checkout: string, files: RepositoryFiles): void {
  for (const [path, text] of files) {
    const file = join(checkout, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
