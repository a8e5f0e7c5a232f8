import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { OperatorError, reason } from '../../support/failure';
import { forgeHome } from '../../support/paths';

/** Go's names of the processor architectures that the forge builds for. */
export const architectures = ['amd64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

const fileShape = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().nonnegative() });

const entryShape = z.object({
  version: z.string(),
  /** Module hash of Go's checksum database, or of a local module's sources. */
  checksum: z.string(),
  /** `ComponentSource.digest` of the recipe it was built by. */
  recipe: z.string(),
  /** Paths below the store's home (bin/..., share/...) with their content. */
  files: z.record(z.string().regex(/^(bin|share)\/(?!.*\.\.(\/|$))[^\0\n]+$/), fileShape),
  seconds: z.number().nonnegative(),
  go: z.string(),
  builtAt: z.string(),
});

const manifestShape = z.object({
  format: z.literal(1),
  os: z.literal('linux'),
  arch: z.enum(architectures),
  components: z.record(z.string(), entryShape),
});

/** A built component: what it is, from what, and every file it consists of. */
export type ManifestEntry = z.infer<typeof entryShape>;
export type Manifest = z.infer<typeof manifestShape>;
export type FileRecord = z.infer<typeof fileShape>;

/** A folder of built components: bin/, share/<component>/, manifest.json. */
export interface ForgeStore {
  home: string;
  arch: Architecture;
}

/** The architecture of this machine. @throws OperatorError on one the forge does not build for. */
export function hostArchitecture(): Architecture {
  const name = arch();
  if (name === 'x64') return 'amd64';
  if (name === 'arm64') return 'arm64';
  throw new OperatorError({
    attempted: 'choose the architecture to build for',
    expected: 'amd64 or arm64',
    seen: name,
    next: 'run the lab on a machine of one of these.',
  });
}

/** The store of an architecture: this machine's is what the lab mounts, another's lies beside it. */
export function forgeStore(architecture: Architecture = hostArchitecture()): ForgeStore {
  return {
    home: architecture === hostArchitecture() ? forgeHome : `${forgeHome}-${architecture}`,
    arch: architecture,
  };
}

/** The lock of a forge at work in a store: builds share caches, and two would only halve each other's speed. */
export function forgeLock(store: ForgeStore): string {
  return join(dirname(store.home), 'forge.lock');
}

/** What the forge needs only while it builds, on the store's file system; dropped at its end. */
export function forgeWork(store: ForgeStore): string {
  return join(dirname(store.home), 'forge-work');
}

/** Reads a store's manifest; an absent or unreadable one is an empty one, so that everything is built again. */
export function readManifest(store: ForgeStore): Manifest {
  const empty: Manifest = { format: 1, os: 'linux', arch: store.arch, components: {} };
  const file = join(store.home, 'manifest.json');
  if (!existsSync(file)) return empty;
  const parsed = parseManifest(readFileSync(file, 'utf8'));
  return parsed.ok && parsed.manifest.arch === store.arch ? parsed.manifest : empty;
}

/** A manifest from text, or why it is none. */
export function parseManifest(text: string): { ok: true; manifest: Manifest } | { ok: false; reason: string } {
  try {
    return { ok: true, manifest: manifestShape.parse(JSON.parse(text)) };
  } catch (thrown) {
    const issue = thrown instanceof z.ZodError ? thrown.issues[0] : undefined;
    return { ok: false, reason: issue ? `${issue.path.join('.')}: ${issue.message}` : reason(thrown) };
  }
}

/** Writes a store's manifest, whole or not at all. */
export async function writeManifest(store: ForgeStore, manifest: Manifest): Promise<void> {
  await writeAtomically(join(store.home, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Replaces a file's content, whole or not at all. */
export async function writeAtomically(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.part`;
  await writeFile(draft, content);
  await rename(draft, file);
}

/** SHA-256 (hex) and size of a file. */
export async function fileRecord(file: string): Promise<FileRecord> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return { sha256: hash.digest('hex'), size: (await stat(file)).size };
}

/** Relative paths of all regular files below a folder, sorted. Links and devices are refused: no component has any. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name).slice(folder.length + 1);
      if (!entry.isFile()) throw new Error(`${path} is neither a file nor a folder`);
      return path;
    })
    .sort();
}

/**
 * Moves a component's files from `staged` (holding bin/ and share/, on the store's file system) into the store and records it. Each file is replaced
 * atomically; the manifest comes last, so that a kill in between is seen as a component that does not match its record. `staged` is gone afterwards.
 */
export async function install(
  store: ForgeStore,
  name: string,
  staged: string,
  about: Omit<ManifestEntry, 'files'>,
): Promise<ManifestEntry> {
  const files: ManifestEntry['files'] = {};
  for (const path of await filesBelow(staged)) {
    await chmod(join(staged, path), path.startsWith('bin/') ? 0o755 : 0o644);
    files[path] = await fileRecord(join(staged, path));
  }
  const manifest = readManifest(store);
  for (const path of Object.keys(manifest.components[name]?.files ?? {})) {
    if (files[path] === undefined) await rm(join(store.home, path), { force: true });
  }
  for (const path of Object.keys(files)) {
    await mkdir(dirname(join(store.home, path)), { recursive: true });
    await rename(join(staged, path), join(store.home, path));
  }
  const entry: ManifestEntry = { ...about, files };
  manifest.components[name] = entry;
  await writeManifest(store, manifest);
  await rm(staged, { recursive: true, force: true });
  return entry;
}
