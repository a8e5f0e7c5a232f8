import { existsSync, lstatSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { run } from '../../support/command';
import { OperatorError } from '../../support/failure';
import { acquireLock } from '../lock';
import { recipes, selectRecipes } from './recipes';
import { componentSource } from './source';
import { verifyComponent } from './states';
import {
  fileRecord,
  filesBelow,
  forgeLock,
  forgeStore,
  install,
  parseManifest,
  readManifest,
  writeManifest,
  type ForgeStore,
  type Manifest,
  type ManifestEntry,
} from './store';

/** What an import or export took along. */
export interface Carried {
  file: string;
  components: string[];
}

/** Packing and unpacking more than a GiB on a slow disk. */
const tarTimeoutMs = 15 * 60_000;

/**
 * Writes verified components into an archive for another machine or a CI cache; the file's suffix chooses the compression
 * (.tar, .tar.gz, .tar.zst). The file appears whole or not at all.
 * @throws OperatorError when a named component is not built and intact, or nothing is.
 */
export async function exportComponents(
  file: string,
  names: readonly string[] | 'all' = 'all',
  store: ForgeStore = forgeStore(),
): Promise<Carried> {
  const target = resolve(file);
  requireSuffix(target);
  const chosen: { name: string; entry: ManifestEntry }[] = [];
  for (const recipe of selectRecipes(names)) {
    const { state, why, entry } = await verifyComponent(recipe, { store, thorough: true });
    if (state === 'built' && entry !== undefined) chosen.push({ name: recipe.name, entry });
    else if (names !== 'all') throw notExportable(target, `${recipe.name} is ${state}: ${why ?? ''}`, recipe.name);
  }
  if (chosen.length === 0) throw notExportable(target, 'no component is built', '');
  const staged = `${store.home}.export-${process.pid}`;
  const draft = target.replace(suffixes, `.${process.pid}.part$&`);
  const known = readManifest(store);
  const manifest: Manifest = { ...known, components: {} };
  for (const { name, entry } of chosen) manifest.components[name] = entry;
  const files = Object.values(manifest.components).flatMap((entry) => Object.keys(entry.files));
  try {
    await writeManifest({ ...store, home: staged }, manifest);
    await run(
      'tar',
      [
        '--create',
        '--auto-compress',
        '--file',
        draft,
        '--owner=0',
        '--group=0',
        '--numeric-owner',
        '--sort=name',
      ].concat([
        '--directory',
        staged,
        'manifest.json',
        '--directory',
        store.home,
        '--verbatim-files-from',
        '--files-from=-',
      ]),
      { input: files.sort().join('\n'), timeoutMs: tarTimeoutMs },
    );
    await rename(draft, target);
  } finally {
    await rm(staged, { recursive: true, force: true });
    await rm(draft, { force: true });
  }
  return { file: target, components: chosen.map(({ name }) => name) };
}

/**
 * Takes over the components of an archive that `exportComponents` wrote. Everything is unpacked beside the store and verified
 * first; the store is not touched when anything is wrong.
 * @throws OperatorError for an archive that is damaged, of another architecture, or of other versions than the recipes want.
 */
export async function importComponents(file: string, store: ForgeStore = forgeStore()): Promise<Carried> {
  const source = resolve(file);
  if (!existsSync(source))
    throw refused(source, 'no such file', 'give the path of a file that `forge --export` wrote.');
  const lock = acquireLock('the forge', forgeLock(store));
  const staged = `${store.home}.import-${process.pid}`;
  try {
    await rm(staged, { recursive: true, force: true });
    await mkdir(staged, { recursive: true });
    const unpacked = await run('tar', ['--extract', '--no-same-owner', '--file', source, '--directory', staged], {
      allowFailure: true,
      timeoutMs: tarTimeoutMs,
    });
    if (unpacked.exitCode !== 0) throw damaged(source, unpacked.stderr.split('\n')[0] ?? 'tar cannot read it');
    const manifest = await readArchive(source, staged, store);
    for (const recipe of recipes) {
      const entry = manifest.components[recipe.name];
      if (entry === undefined) continue;
      await installFrom(staged, recipe.name, entry, store);
    }
    return { file: source, components: Object.keys(manifest.components) };
  } finally {
    await rm(staged, { recursive: true, force: true });
    lock.release();
  }
}

/** The manifest of an unpacked archive, once all it says is true of the files beside it. */
async function readArchive(source: string, staged: string, store: ForgeStore): Promise<Manifest> {
  const manifestFile = join(staged, 'manifest.json');
  if (!existsSync(manifestFile)) throw damaged(source, 'it holds no manifest.json');
  const parsed = parseManifest(await readFile(manifestFile, 'utf8'));
  if (!parsed.ok) throw damaged(source, `manifest.json: ${parsed.reason}`);
  const { manifest } = parsed;
  if (manifest.arch !== store.arch) {
    throw refused(source, `components for ${manifest.arch}`, `import an archive that was exported for ${store.arch}.`);
  }
  for (const [name, entry] of Object.entries(manifest.components)) {
    const recipe = recipes.find((known) => known.name === name);
    const wanted = recipe === undefined ? undefined : componentSource(recipe);
    if (wanted === undefined || entry.recipe !== wanted.digest) {
      const seen = `${name} ${entry.version}, this checkout wants ${wanted?.version ?? 'no such component'} of its own recipe`;
      throw refused(source, seen, 'export again from a machine with this checkout, or build: npm run lab -- forge');
    }
    for (const [path, recorded] of Object.entries(entry.files)) {
      const found = join(staged, path);
      if (!existsSync(found) || !lstatSync(found).isFile()) throw damaged(source, `${path} is missing`);
      if ((await fileRecord(found)).sha256 !== recorded.sha256)
        throw damaged(source, `${path} does not match its checksum`);
    }
  }
  const listed = new Set(Object.values(manifest.components).flatMap((entry) => Object.keys(entry.files)));
  const extra = (await filesBelow(staged)).find((path) => path !== 'manifest.json' && !listed.has(path));
  if (extra !== undefined) throw damaged(source, `${extra} is not in its manifest`);
  return manifest;
}

async function installFrom(staged: string, name: string, entry: ManifestEntry, store: ForgeStore): Promise<void> {
  const own = join(staged, `.${name}`);
  for (const path of Object.keys(entry.files)) {
    await mkdir(dirname(join(own, path)), { recursive: true });
    await rename(join(staged, path), join(own, path));
  }
  const { files: _files, ...about } = entry;
  await install(store, name, own, about);
}

const suffixes = /\.tar(\.gz|\.zst)?$/;

function requireSuffix(target: string): void {
  if (suffixes.test(target)) return;
  throw new OperatorError({
    attempted: `export components to ${target}`,
    expected: 'a name that ends in .tar, .tar.gz or .tar.zst',
    next: 'give the file such a name.',
    exitCode: 2,
  });
}

function notExportable(target: string, seen: string, name: string): OperatorError {
  return new OperatorError({
    attempted: `export components to ${target}`,
    seen,
    next: `npm run lab -- forge ${name}`.trim(),
  });
}

function refused(source: string, seen: string, next: string): OperatorError {
  return new OperatorError({ attempted: 'import components', where: source, seen, next });
}

function damaged(source: string, seen: string): OperatorError {
  return refused(source, `a damaged archive: ${seen}`, 'carry the archive over again; nothing was changed here.');
}
