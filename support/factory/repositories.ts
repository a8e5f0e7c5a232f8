import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { OperatorError, reason } from '../failure';
import { readInventory, type Inventory } from '../inventory';
import { factoryHome } from '../paths';

/** An app of the app-of-apps and its environments; `prod` is always the first (ADR-0002: it elides). */
export interface FactoryApp {
  name: string;
  envs: string[];
}

/** A repository as it lies in Gitea: path in the repository → text. Paths use `/`, in sorted order. */
export type RepositoryFiles = Map<string, string>;

/** The folder of the factory whose files become a new app's repository, and the tokens in it. */
export const templateFolder = 'new-web-app';
export const appToken = '__APP__';
const envToken = '__ENV__';

/** Folders of the factory that lie in repositories of the platform's own. */
const platformRepositories: Record<string, string[]> = {
  factory: ['argocd', 'postgres'],
  tools: ['hashicorp-vault'],
};

/** What never belongs in a repository: what OpenTofu leaves in a folder where it ran. */
const leftOut = new Set(['.terraform', '.git', 'node_modules']);
const leftOutFiles = /(\.tfstate(\..*)?|\.tfplan)$/;

const applicationsShape = z.object({
  gitea_applications: z.record(
    z.string().regex(/^[a-z][a-z0-9-]*$/, 'an app name is lower-case kebab-case'),
    z
      .object({ envs: z.record(z.string().regex(/^[a-z][a-z0-9]*$/), z.unknown()).nullish() })
      .loose()
      .nullable(),
  ),
});

/**
 * The apps and environments the app-of-apps declares (`argocd/values.yaml`): the one list of apps.
 * @throws OperatorError when the file is missing or not in seed 004's shape.
 */
export function readFactoryApps(factory = factoryHome): FactoryApp[] {
  const file = join(factory, 'argocd', 'values.yaml');
  try {
    const { gitea_applications: applications } = applicationsShape.parse(parse(readFileSync(file, 'utf8')));
    return Object.entries(applications).map(([name, attributes]) => ({
      name,
      envs: ['prod', ...Object.keys(attributes?.envs ?? {})],
    }));
  } catch (thrown) {
    throw new OperatorError({
      attempted: 'read the list of apps',
      where: file,
      expected: 'gitea_applications: <app>: {annotations, envs, syncPolicy}',
      seen: reason(thrown),
      next: 'correct that file, or point FACTORY at a factory checkout, and run the same command again.',
      exitCode: 2,
      cause: thrown,
    });
  }
}

/**
 * The repository of one app: the template with the app's name in it, a `values-<env>.yaml` for every environment other
 * than prod, and on top whatever lies in `apps/<app>/`.
 * @throws OperatorError when a token has no value.
 */
export function renderAppRepository(
  app: FactoryApp,
  options: { factory?: string; inventory?: Inventory } = {},
): RepositoryFiles {
  const factory = options.factory ?? factoryHome;
  const inventory = options.inventory ?? readInventory();
  const common = { [appToken]: app.name, ...endpointTokens(inventory) };
  const files: RepositoryFiles = new Map();
  const place = (from: string): void => {
    for (const [path, text] of readFolder(from)) {
      const forEnvs = path.includes(envToken) ? app.envs.filter((env) => env !== 'prod') : [undefined];
      for (const env of forEnvs) {
        const tokens = env === undefined ? common : { ...common, [envToken]: env };
        files.set(substitute(path, tokens, path), substitute(text, tokens, join(from, path)));
      }
    }
  };
  place(join(factory, templateFolder));
  const own = join(factory, 'apps', app.name);
  if (existsSync(own)) place(own);
  return sorted(files);
}

/** Every repository of the factory: one an app, and those of the platform, by name. */
export function renderAllRepositories(
  factory = factoryHome,
  inventory = readInventory(),
): Map<string, RepositoryFiles> {
  const repositories = new Map<string, RepositoryFiles>();
  for (const [name, folders] of Object.entries(platformRepositories)) {
    const files: RepositoryFiles = new Map();
    for (const folder of folders) {
      for (const [path, text] of readFolder(join(factory, folder), folder)) files.set(path, text);
    }
    repositories.set(name, sorted(files));
  }
  for (const app of readFactoryApps(factory))
    repositories.set(app.name, renderAppRepository(app, { factory, inventory }));
  return repositories;
}

/**
 * Writes every repository as a folder below `outDir`, which is made anew. The same factory gives the same bytes.
 * @returns the repositories' names.
 */
export function renderRepositories(outDir: string, factory = factoryHome): string[] {
  const repositories = renderAllRepositories(factory);
  for (const [name, files] of repositories) {
    rmSync(join(outDir, name), { recursive: true, force: true });
    for (const [path, text] of files) {
      const file = join(outDir, name, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }
  return [...repositories.keys()];
}

/** Names and ports from the inventory that charts need: the lab's DNS knows `pgbouncer.<domain>`. */
function endpointTokens(inventory: Inventory): Record<string, string> {
  return {
    __DOMAIN__: inventory.domain,
    __PGBOUNCER_PORT__: inventory.endpoints.pgbouncer.split(':')[1] ?? '',
  };
}

function substitute(text: string, tokens: Record<string, string>, where: string): string {
  let result = text;
  for (const [token, value] of Object.entries(tokens)) result = result.replaceAll(token, value);
  const left = /__[A-Z][A-Z_]*[A-Z]__/.exec(result);
  if (left) {
    throw new OperatorError({
      attempted: 'render an app repository',
      where,
      expected: `only the tokens ${[appToken, envToken, '__DOMAIN__', '__PGBOUNCER_PORT__'].join(', ')}`,
      seen: left[0],
      next: 'correct the token in that file and run the same command again.',
      exitCode: 2,
    });
  }
  return result;
}

/** All text files below a folder, by path with `/`, under `prefix` when given. */
function readFolder(folder: string, prefix = ''): [string, string][] {
  if (!existsSync(folder)) {
    throw new OperatorError({
      attempted: 'render the factory’s repositories',
      where: folder,
      expected: 'a folder of the factory',
      seen: 'no such folder',
      next: 'restore it from git, or point FACTORY at a complete factory checkout.',
      exitCode: 2,
    });
  }
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.split(sep).some((part) => leftOut.has(part)) && !leftOutFiles.test(path))
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort()
    .map((path) => [[prefix, ...path.split(sep)].filter(Boolean).join('/'), readFileSync(join(folder, path), 'utf8')]);
}

function sorted(files: RepositoryFiles): RepositoryFiles {
  return new Map([...files].sort(([one], [other]) => (one < other ? -1 : 1)));
}
