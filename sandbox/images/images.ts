import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { run } from '../../support/command';
import { OperatorError } from '../../support/failure';
import { cacheHome } from '../../support/paths';
import type { ManifestEntry } from '../forge/store';
import { forgeStore, readManifest, type ForgeStore } from '../forge/store';
import type { OnProgress } from '../progress';
import { debianTreeKey, ensureDebianTree, type DebianTree } from './debian';
import { treeEntries, type LayerEntry, type LayerFile } from './layer';
import { OciLayout } from './layout';
import { imageRecipes, type ImageRecipe, type Placement } from './recipes';

/** Where built images lie, as one OCI layout. */
export const imagesHome = join(cacheHome, 'images');

export interface ImageOptions {
  store?: ForgeStore;
  onProgress?: OnProgress;
  layout?: OciLayout;
}

/** An image that can be pushed. */
export interface BuiltImage {
  name: string;
  /** repository:tag, as the lab's registry serves it. */
  reference: string;
  /** sha256:... of its manifest: the same inputs give the same digest on every machine. */
  digest: string;
}

/** repository:tag of an image, without the upstream registry in whose place the lab's answers. */
export function imageReference(recipe: ImageRecipe): string {
  return `${recipe.repository}:${recipe.tag}`;
}

/** The recipes of `names`, all without. @throws OperatorError naming the unknown one and the known ones. */
export function selectImages(names?: readonly string[]): ImageRecipe[] {
  const unknown = (names ?? []).filter((name) => !imageRecipes.some((recipe) => recipe.name === name));
  if (unknown.length > 0) {
    throw new OperatorError({
      attempted: `find the image ${unknown.join(', ')}`,
      expected: `one of ${imageRecipes.map((recipe) => recipe.name).join(', ')}`,
      next: 'give one of these names.',
      exitCode: 2,
    });
  }
  return imageRecipes.filter((recipe) => names === undefined || names.includes(recipe.name));
}

/** Builds write one index: they take turns. */
let lastBuild: Promise<unknown> = Promise.resolve();

/**
 * Builds images from the forge's binaries. A layer whose inputs are unchanged is not written again.
 * @param names of image recipes; all without (then what no image uses any more is removed as well).
 * @throws OperatorError when a component is not built.
 */
export async function buildImages(names?: readonly string[], options: ImageOptions = {}): Promise<BuiltImage[]> {
  const chosen = selectImages(names);
  const building = lastBuild.then(async () => {
    const layout = options.layout ?? new OciLayout(imagesHome);
    const images: BuiltImage[] = [];
    for (const recipe of chosen) images.push(await buildImage(recipe, layout, options));
    if (names === undefined) await layout.prune();
    return images;
  });
  lastBuild = building.catch(() => undefined);
  return building;
}

async function buildImage(recipe: ImageRecipe, layout: OciLayout, options: ImageOptions): Promise<BuiltImage> {
  const store = options.store ?? forgeStore();
  const components = readManifest(store).components;
  const reference = imageReference(recipe);
  const layers: LayerFile[] = [];
  if (recipe.base !== undefined) layers.push(await baseLayer(recipe.base, layout, options.onProgress));
  const entries = recipe.placements.flatMap((placement) => placed(placement, recipe, store, components));
  const key = createHash('sha256')
    .update(JSON.stringify(entries.map(({ decides }) => decides)))
    .digest('hex');
  layers.push(await layout.layer(`files:${key}`, () => entries.map(({ entry }) => entry)));
  const before = layout.digestOf(reference);
  const digest = await layout.tag(reference, store.arch, recipe.config, layers);
  if (digest !== before) {
    const size = layers.reduce((sum, layer) => sum + layer.size, 0);
    const text = `${digest.slice(0, 19)}, ${(size / 2 ** 20).toFixed(0)} MiB in ${layers.length} layers`;
    options.onProgress?.({ subject: `image ${reference}`, text, final: true });
  }
  return { name: recipe.name, reference, digest };
}

async function baseLayer(tree: DebianTree, layout: OciLayout, onProgress?: OnProgress): Promise<LayerFile> {
  const path = await ensureDebianTree(tree, onProgress === undefined ? {} : { onProgress });
  return layout.layer(`tree:${debianTreeKey(tree)}`, () => treeEntries(path));
}

/** A layer's member with what decides its content: for a component's file its recorded checksum, so that it need not be read. */
interface Placed {
  entry: LayerEntry;
  decides: unknown;
}

function placed(
  placement: Placement,
  recipe: ImageRecipe,
  store: ForgeStore,
  components: Record<string, ManifestEntry>,
): Placed[] {
  const fileOf = (stored: string, path: string, mode: number): Placed => {
    const record = recipe.components
      .map((name) => components[name]?.files[stored])
      .find((found) => found !== undefined);
    if (record === undefined) throw notBuilt(recipe, stored);
    const entry: LayerEntry = { kind: 'file', path, mode, source: join(store.home, stored), size: record.size };
    return { entry, decides: [path, mode, record.sha256] };
  };
  switch (placement.kind) {
    case 'binary':
      return [fileOf(`bin/${placement.binary}`, placement.path, 0o755)];
    case 'shared':
      return [fileOf(`share/${placement.component}/${placement.file}`, placement.path, placement.mode ?? 0o644)];
    case 'sharedFolder': {
      const prefix = `share/${placement.component}/${placement.folder}/`;
      const files = Object.keys(components[placement.component]?.files ?? {}).filter((file) => file.startsWith(prefix));
      if (files.length === 0) throw notBuilt(recipe, prefix);
      return files.sort().map((file) => fileOf(file, `${placement.path}/${file.slice(prefix.length)}`, 0o644));
    }
    default:
      return [{ entry: placement, decides: placement }];
  }
}

function notBuilt(recipe: ImageRecipe, file: string): OperatorError {
  return new OperatorError({
    attempted: `build the image ${imageReference(recipe)}`,
    expected: `${file} in the forge's store`,
    seen: 'no such file',
    next: `npm run lab -- forge ${recipe.components.join(' ')}`,
  });
}

/**
 * Pushes built images to a registry, each under its repository and tag, with the digests they have on disk.
 * What the registry has already is not sent.
 * @param registry host:port of a registry without TLS (the lab's own).
 * @returns the references that were sent.
 */
export async function pushImages(
  registry: string,
  names?: readonly string[],
  options: ImageOptions = {},
): Promise<string[]> {
  const layout = options.layout ?? new OciLayout(imagesHome);
  const sent: string[] = [];
  // One after another: images share layers, and a layer that is being sent would be sent twice.
  for (const recipe of selectImages(names)) {
    const reference = imageReference(recipe);
    const digest = layout.digestOf(reference);
    if (digest === undefined) throw notPushable(reference);
    if ((await remoteDigest(registry, reference)) === digest) continue;
    options.onProgress?.({ subject: `image ${reference}`, text: `sending to ${registry}`, final: false });
    await run(
      'skopeo',
      [
        ...['--insecure-policy', 'copy', '--quiet', '--preserve-digests', '--dest-tls-verify=false'],
        ...[`oci:${layout.folder}:${reference}`, `docker://${registry}/${reference}`],
      ],
      { timeoutMs: 10 * 60_000 },
    );
    options.onProgress?.({ subject: `image ${reference}`, text: `in the registry ${registry}`, final: true });
    sent.push(reference);
  }
  return sent;
}

async function remoteDigest(registry: string, reference: string): Promise<string | undefined> {
  const args = [
    'inspect',
    '--no-tags',
    '--tls-verify=false',
    '--format',
    '{{.Digest}}',
    `docker://${registry}/${reference}`,
  ];
  const answer = await run('skopeo', args, { allowFailure: true, timeoutMs: 30_000 });
  return answer.exitCode === 0 ? answer.stdout.trim() : undefined;
}

function notPushable(reference: string): OperatorError {
  return new OperatorError({
    attempted: `push the image ${reference}`,
    seen: 'it is not built',
    next: 'npm run lab -- up builds the images before it pushes them.',
  });
}
