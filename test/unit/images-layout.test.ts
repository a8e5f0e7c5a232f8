import { deepEqual, equal, match, notEqual, ok, rejects, throws } from 'node:assert/strict';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { extract, type Header } from 'tar-stream';
import { recipes } from '../../sandbox/forge/recipes';
import { componentSource } from '../../sandbox/forge/source';
import { debianTreeKey, imageTools, machineBase } from '../../sandbox/images/debian';
import { buildImages, imageReference, selectImages } from '../../sandbox/images/images';
import { treeEntries, writeLayer, type LayerEntry } from '../../sandbox/images/layer';
import { OciLayout } from '../../sandbox/images/layout';
import { imageRecipes } from '../../sandbox/images/recipes';
import { installed, scratchStore } from './forge-fixture';

const scratch = (): string => mkdtempSync(join(tmpdir(), 'images-'));

async function members(layer: string): Promise<Record<string, Header>> {
  const found: Record<string, Header> = {};
  const reader = extract();
  reader.end(readFileSync(layer));
  for await (const entry of reader) {
    found[entry.header.name] = entry.header;
    entry.resume();
  }
  return found;
}

function sampleEntries(): LayerEntry[] {
  const source = join(scratch(), 'program');
  writeFileSync(source, 'x'.repeat(100_000));
  return [
    { kind: 'file', path: 'usr/bin/program', mode: 0o755, source, size: 100_000 },
    { kind: 'symlink', path: 'usr/bin/alias', target: 'program' },
    { kind: 'directory', path: 'tmp', mode: 0o1777 },
    { kind: 'content', path: 'etc/passwd', content: 'root:x:0:0::/:\n' },
  ];
}

describe('a layer', () => {
  it('depends on its entries alone: not on their order, times or place', async () => {
    const folder = scratch();
    const first = await writeLayer(join(folder, 'a'), sampleEntries());
    const again = sampleEntries().reverse();
    for (const entry of again) if (entry.kind === 'file') utimesSync(entry.source, 1, 1);
    const second = await writeLayer(join(folder, 'b'), again);
    deepEqual(second, first);
  });

  it('holds every member with its mode and owner, and the folders in between', async () => {
    const file = join(scratch(), 'layer');
    await writeLayer(file, [...sampleEntries(), { kind: 'directory', path: 'home/argocd', mode: 0o775, uid: 999 }]);
    const found = await members(file);
    deepEqual(Object.keys(found), [
      ...['etc', 'etc/passwd', 'home', 'home/argocd', 'tmp', 'usr', 'usr/bin', 'usr/bin/alias', 'usr/bin/program'],
    ]);
    equal(found['usr/bin/program']?.mode, 0o755);
    equal(found['usr/bin/program']?.size, 100_000);
    equal(found['tmp']?.mode, 0o1777);
    equal(found['home/argocd']?.uid, 999);
    equal(found['usr/bin/alias']?.linkname, 'program');
    ok(Object.values(found).every((header) => header.mtime.getTime() === 0));
  });

  it('of a folder keeps links and drops set-id bits', async () => {
    const root = scratch();
    mkdirSync(join(root, 'bin'));
    writeFileSync(join(root, 'bin', 'git'), 'git');
    chmodSync(join(root, 'bin', 'git'), 0o4755);
    linkSync(join(root, 'bin', 'git'), join(root, 'bin', 'git-upload-pack'));
    symlinkSync('git', join(root, 'bin', 'alias'));
    const file = join(scratch(), 'layer');
    await writeLayer(file, treeEntries(root));
    const found = await members(file);
    equal(found['bin/git']?.mode, 0o755);
    equal(found['bin/git-upload-pack']?.type, 'link');
    equal(found['bin/git-upload-pack']?.linkname, 'bin/git');
    equal(found['bin/alias']?.linkname, 'git');
  });

  it('fails when a file is not there', async () => {
    const entries: LayerEntry[] = [{ kind: 'file', path: 'x', source: '/nonexistent', size: 1 }];
    await rejects(writeLayer(join(scratch(), 'layer'), entries), /ENOENT/);
  });
});

describe('an image layout', () => {
  it('gives the same digest for the same inputs, another for others', async () => {
    const digests: string[] = [];
    for (const user of ['1', '1', '2']) {
      const layout = new OciLayout(scratch());
      const layer = await layout.layer('key', sampleEntries);
      digests.push(await layout.tag('a/b:1', 'amd64', { User: user }, [layer]));
    }
    equal(digests[0], digests[1]);
    notEqual(digests[0], digests[2]);
  });

  it('does not write a layer again whose key is known', async () => {
    const layout = new OciLayout(scratch());
    const layer = await layout.layer('key', sampleEntries);
    deepEqual(
      await layout.layer('key', () => {
        throw new Error('it was written again');
      }),
      layer,
    );
  });

  it('keeps one image a reference and drops what no image uses', async () => {
    const layout = new OciLayout(scratch());
    const old = await layout.layer('old', sampleEntries);
    await layout.tag('a/b:1', 'amd64', {}, [old]);
    const next = await layout.layer('next', () => [{ kind: 'content', path: 'x', content: 'x' }]);
    const digest = await layout.tag('a/b:1', 'amd64', {}, [next]);
    writeFileSync(join(layout.folder, 'left-by-a-kill.part'), '');
    await layout.prune();
    equal(layout.digestOf('a/b:1'), digest);
    equal(readdirSync(join(layout.folder, 'blobs', 'sha256')).length, 3, 'manifest, config and one layer');
    ok(!readdirSync(layout.folder).includes('left-by-a-kill.part'));
  });
});

describe('image recipes', () => {
  it('name components of the forge, and only binaries of these', () => {
    for (const image of imageRecipes) {
      const binaries = image.components.flatMap((name) => {
        const recipe = recipes.find((known) => known.name === name);
        ok(recipe, `${image.name}: ${name}`);
        return componentSource(recipe).binaries;
      });
      for (const placement of image.placements) {
        if (placement.kind === 'binary') ok(binaries.includes(placement.binary), `${image.name}: ${placement.binary}`);
      }
    }
  });

  it('have one reference each', () => {
    const references = imageRecipes.map(imageReference);
    equal(new Set(references).size, references.length);
  });

  it('are selected by name', () => {
    equal(selectImages().length, imageRecipes.length);
    throws(() => selectImages(['nginx']), /nginx.*one of/s);
  });

  it('give the same digest from the same components, another when a binary changed', async () => {
    const digestOf = async (content: string): Promise<string> => {
      const store = scratchStore();
      await installed(store, 'coredns', {}, content);
      const [image] = await buildImages(['coredns'], { store, layout: new OciLayout(scratch()) });
      return image?.digest ?? '';
    };
    const first = await digestOf('a program');
    match(first, /^sha256:[0-9a-f]{64}$/);
    equal(await digestOf('a program'), first);
    notEqual(await digestOf('another program'), first);
  });

  it('say which component must be built first', async () => {
    const building = buildImages(['coredns'], { store: scratchStore(), layout: new OciLayout(scratch()) });
    await rejects(building, /bin\/coredns.*npm run lab -- forge coredns/s);
  });
});

describe('Debian trees', () => {
  it('are kept by what decides their content', () => {
    notEqual(debianTreeKey(machineBase), debianTreeKey(imageTools));
    equal(debianTreeKey({ ...machineBase }), debianTreeKey(machineBase));
    notEqual(debianTreeKey({ ...machineBase, packages: [...machineBase.packages, 'vim'] }), debianTreeKey(machineBase));
  });
});
