import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeLayer, type LayerEntry, type LayerFile } from './layer';

const descriptorShape = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number().int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const indexShape = z.object({ schemaVersion: z.literal(2), manifests: z.array(descriptorShape) });
const manifestShape = z.object({ config: descriptorShape, layers: z.array(descriptorShape) });

/** A blob as OCI documents name it (image-spec, descriptor.md). */
export type Descriptor = z.infer<typeof descriptorShape>;

/** What a container of the image starts with (image-spec, config.md). */
export interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
  User?: string;
  WorkingDir?: string;
  Labels?: Record<string, string>;
}

const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

const refName = 'org.opencontainers.image.ref.name';

/** An OCI image layout on disk (image-spec, image-layout.md): many images, each blob once. */
export class OciLayout {
  constructor(readonly folder: string) {}

  /** Path of a blob, whether it is there or not. */
  blob(digest: string): string {
    return join(this.folder, 'blobs', 'sha256', digest.replace(/^sha256:/, ''));
  }

  /**
   * The layer that `key` stands for: written once, then found again by its key, so that nothing is read to know it.
   * @param key names everything that decides the entries' content.
   */
  async layer(key: string, entries: () => LayerEntry[]): Promise<LayerFile> {
    const keys = this.layerKeys();
    const known = keys[key];
    if (known !== undefined && existsSync(this.blob(known.digest))) return known;
    await mkdir(join(this.folder, 'blobs', 'sha256'), { recursive: true });
    const draft = join(this.folder, `${randomUUID()}.part`);
    const written = await writeLayer(draft, entries());
    await rename(draft, this.blob(written.digest));
    await this.replace('layers.json', JSON.stringify({ ...this.layerKeys(), [key]: written }, null, 2));
    return written;
  }

  /** Writes an image's manifest under `reference`. @returns the manifest's digest, which depends on the arguments alone. */
  async tag(
    reference: string,
    architecture: string,
    config: ImageConfig,
    layers: readonly LayerFile[],
  ): Promise<string> {
    const body = {
      architecture,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: await this.json(mediaTypes.config, body),
      layers: layers.map((layer) => ({ mediaType: mediaTypes.layer, digest: layer.digest, size: layer.size })),
    };
    const descriptor = await this.json(mediaTypes.manifest, manifest);
    const others = this.images().filter((image) => image.annotations?.[refName] !== reference);
    const manifests = [...others, { ...descriptor, annotations: { [refName]: reference } }];
    await this.replace('oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await this.replace('index.json', JSON.stringify({ schemaVersion: 2, manifests }, null, 2));
    return descriptor.digest;
  }

  /** The manifest digest of `reference`, or undefined when there is no such image. */
  digestOf(reference: string): string | undefined {
    return this.images().find((image) => image.annotations?.[refName] === reference)?.digest;
  }

  /** Removes blobs that no image uses and what a killed build left. */
  async prune(): Promise<void> {
    const used = new Set<string>();
    for (const image of this.images()) {
      const manifest = manifestShape.parse(JSON.parse(readFileSync(this.blob(image.digest), 'utf8')));
      for (const { digest } of [image, manifest.config, ...manifest.layers]) used.add(this.blob(digest));
    }
    const blobs = join(this.folder, 'blobs', 'sha256');
    for (const name of await readdir(blobs)) if (!used.has(join(blobs, name))) await rm(join(blobs, name));
    for (const name of await readdir(this.folder)) if (name.endsWith('.part')) await rm(join(this.folder, name));
  }

  private images(): Descriptor[] {
    const file = join(this.folder, 'index.json');
    return existsSync(file) ? indexShape.parse(JSON.parse(readFileSync(file, 'utf8'))).manifests : [];
  }

  private layerKeys(): Record<string, LayerFile> {
    const file = join(this.folder, 'layers.json');
    const shape = z.record(z.string(), z.object({ digest: z.string(), size: z.number() }));
    return existsSync(file) ? shape.parse(JSON.parse(readFileSync(file, 'utf8'))) : {};
  }

  private async json(mediaType: string, value: unknown): Promise<Descriptor> {
    const text = JSON.stringify(value);
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    await mkdir(join(this.folder, 'blobs', 'sha256'), { recursive: true });
    await this.replace(join('blobs', 'sha256', digest.slice(7)), text);
    return { mediaType, digest, size: (await stat(this.blob(digest))).size };
  }

  /** Replaces a file, whole or not at all. */
  private async replace(name: string, content: string): Promise<void> {
    const draft = join(this.folder, `${randomUUID()}.part`);
    await mkdir(this.folder, { recursive: true });
    await writeFile(draft, content);
    await rename(draft, join(this.folder, name));
  }
}
