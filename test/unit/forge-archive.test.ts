import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { exportComponents, importComponents } from '../../sandbox/forge/archive';
import { filesBelow, type ForgeStore } from '../../sandbox/forge/store';
import { OperatorError } from '../../support/failure';
import { installed, scratchStore } from './forge-fixture';

async function exported(suffix = 'tar'): Promise<string> {
  const store = scratchStore();
  await installed(store, 'etcd');
  await installed(store, 'coredns');
  const file = join(dirname(store.home), `components.${suffix}`);
  await exportComponents(file, 'all', store);
  return file;
}

/** Every file of a store with its content: what "untouched" means. */
async function contentOf(store: ForgeStore): Promise<Record<string, string>> {
  const paths = existsSync(store.home) ? await filesBelow(store.home) : [];
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(store.home, path), 'utf8')]));
}

async function refuses(file: string, seen: RegExp, store = scratchStore()): Promise<void> {
  await installed(store, 'helm');
  const before = await contentOf(store);
  await rejects(
    importComponents(file, store),
    (thrown: unknown) => thrown instanceof OperatorError && seen.test(thrown.message),
  );
  deepEqual(await contentOf(store), before);
  deepEqual(readdirSync(dirname(store.home)), ['forge'], 'no lock, no half-unpacked archive');
}

/** Unpacks an archive, lets `change` alter it, packs it again. */
function repacked(file: string, change: (folder: string) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'));
  execFileSync('tar', ['-xf', file, '-C', folder]);
  change(folder);
  const target = `${folder}.tar`;
  execFileSync('tar', ['-cf', target, '-C', folder, ...readdirSync(folder)]);
  return target;
}

describe('export and import', () => {
  for (const suffix of ['tar', 'tar.gz', 'tar.zst']) {
    it(`carry verified components as .${suffix}`, async () => {
      const file = await exported(suffix);
      const store = scratchStore();
      deepEqual((await importComponents(file, store)).components, ['etcd', 'coredns']);
      deepEqual(Object.keys(await contentOf(store)).sort(), [
        'bin/coredns',
        'bin/etcd',
        'manifest.json',
        'share/coredns/notice.txt',
        'share/etcd/notice.txt',
      ]);
      deepEqual(readdirSync(dirname(store.home)), ['forge']);
    });
  }

  it('keep what the store had', async () => {
    const store = scratchStore();
    await installed(store, 'helm');
    await importComponents(await exported(), store);
    ok('bin/helm' in (await contentOf(store)));
  });

  it('refuse an archive with a changed binary', async () => {
    const file = repacked(await exported(), (folder) => writeFileSync(join(folder, 'bin', 'etcd'), 'something else'));
    await refuses(file, /bin\/etcd does not match its checksum/);
  });

  it('refuse an archive that lacks a file or holds another', async () => {
    const lacking = repacked(await exported(), (folder) => execFileSync('rm', [join(folder, 'bin', 'etcd')]));
    await refuses(lacking, /bin\/etcd is missing/);
    const more = repacked(await exported(), (folder) => writeFileSync(join(folder, 'bin', 'sh'), '#!'));
    await refuses(more, /bin\/sh is not in its manifest/);
  });

  it('refuse a link in place of a file', async () => {
    const file = repacked(await exported(), (folder) =>
      execFileSync('ln', ['-sf', '/bin/sh', join(folder, 'bin', 'etcd')]),
    );
    await refuses(file, /bin\/etcd is missing/);
  });

  it('refuse an archive that broke off on the way', async () => {
    const file = await exported('tar.gz');
    writeFileSync(file, readFileSync(file).subarray(0, 200));
    await refuses(file, /damaged archive/);
  });

  it('refuse something that is no archive of components', async () => {
    const file = repacked(await exported(), (folder) => execFileSync('rm', [join(folder, 'manifest.json')]));
    await refuses(file, /no manifest\.json/);
    await refuses('/nonexistent.tar', /no such file/);
  });

  it('refuse another architecture', async () => {
    await refuses(await exported(), /components for amd64.*arm64/s, scratchStore('arm64'));
  });

  it('refuse components of another recipe', async () => {
    const file = repacked(await exported(), (folder) => {
      const manifest = join(folder, 'manifest.json');
      writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"recipe": "[0-9a-f]+"/, '"recipe": "another"'));
    });
    await refuses(file, /this checkout wants/);
  });

  it('export only what is intact', async () => {
    const store = scratchStore();
    await installed(store, 'etcd');
    writeFileSync(join(store.home, 'bin', 'etcd'), 'broken');
    const file = join(dirname(store.home), 'out.tar');
    await rejects(exportComponents(file, ['etcd'], store), /etcd is corrupt/);
    await rejects(exportComponents(file, 'all', store), /no component is built/);
    await rejects(exportComponents(join(dirname(store.home), 'out.zip'), 'all', store), /\.tar\.zst/);
    equal(existsSync(file), false);
  });
});
