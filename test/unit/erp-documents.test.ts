import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carrierPod } from '../../support/erp/documents/carrier';
import { contentHash, SandboxFolder, type Listing } from '../../support/erp/documents/folder';
import { listingDifference, mirror, planMirror } from '../../support/erp/documents/mirror';
import { production, sandbox } from '../../support/erp/instances';
import { OperatorError } from '../../support/failure';
import { RefusedByBoundary } from '../../support/isolation';

/** Documents in memory, which count what is done to them. */
class Volume {
  readonly done: string[] = [];

  constructor(readonly files: Map<string, string>) {}

  list(): Promise<Listing> {
    return Promise.resolve(new Map([...this.files].map(([path, text]) => [path, contentHash(Buffer.from(text))])));
  }

  read(path: string): Promise<Buffer> {
    return Promise.resolve(Buffer.from(this.files.get(path) ?? ''));
  }

  write(path: string, content: Buffer): Promise<void> {
    this.done.push(`write ${path}`);
    this.files.set(path, content.toString());
    return Promise.resolve();
  }

  remove(path: string): Promise<void> {
    this.done.push(`remove ${path}`);
    this.files.delete(path);
    return Promise.resolve();
  }
}

const volume = (files: Record<string, string>): Volume => new Volume(new Map(Object.entries(files)));

void test('a copy adds, changes and removes what differs, removes first, and touches nothing else', async () => {
  const source = volume({ a: '1', b: '2', 'c/d': '3', 'e/f': '4' });
  const target = volume({ a: '1', b: 'x', c: 'in the way of a folder', z: '9' });
  assert.deepEqual(await mirror(source, target), { files: 4, add: 2, change: 1, remove: 2 });
  assert.deepEqual(target.done, ['remove c', 'remove z', 'write b', 'write c/d', 'write e/f']);
  assert.deepEqual(target.files, new Map([...target.files].map(([path]) => [path, source.files.get(path) ?? 'none'])));
  assert.deepEqual(source.done, []);
  assert.deepEqual(await mirror(source, target), { files: 4, add: 0, change: 0, remove: 0 });
});

void test('a copy that was cut off is gone on with', async () => {
  const source = volume({ a: '1', b: '2', c: '3' });
  const target = volume({ z: '9' });
  const write = target.write.bind(target);
  target.write = (path, content) => (path === 'b' ? Promise.reject(new Error('cut off')) : write(path, content));
  await assert.rejects(mirror(source, target), /cut off/);
  target.write = write;
  assert.deepEqual(await mirror(source, target), { files: 3, add: 2, change: 0, remove: 0 });
});

void test('content counts, not length or name', () => {
  const one = new Map([['a', contentHash(Buffer.from('1'))]]);
  const other = new Map([['a', contentHash(Buffer.from('2'))]]);
  assert.deepEqual(planMirror(one, other), { add: [], change: ['a'], remove: [] });
  assert.equal(listingDifference(one, other), 'has another a');
  assert.equal(listingDifference(one, new Map()), 'lacks a');
  assert.equal(listingDifference(new Map(), other), 'also has a');
  assert.equal(listingDifference(one, new Map(one)), 'the same');
});

const deaf: [string, (target: Volume) => void, RegExp][] = [
  ['removes nothing', (target) => (target.remove = () => Promise.resolve()), /also has z/],
  ['writes nothing', (target) => (target.write = () => Promise.resolve()), /lacks a/],
  [
    'writes something else',
    (target) => (target.write = (path) => Promise.resolve(void target.files.set(path, 'other'))),
    /has another a/,
  ],
];
for (const [what, spoil, says] of deaf) {
  void test(`a volume that ${what} is noticed`, async () => {
    const target = volume({ z: '9' });
    spoil(target);
    await assert.rejects(mirror(volume({ a: '1' }), target), (thrown) => {
      assert.ok(thrown instanceof OperatorError);
      assert.match(thrown.message, says);
      return true;
    });
  });
}

void test('production that moves while it is read is noticed, and so is what is no plain file', async () => {
  const source = volume({ a: '1', b: '2' });
  const target = volume({});
  target.write = () => Promise.resolve(void source.files.set('new', 'upload'));
  await assert.rejects(mirror(source, target), /at rest/);
  const link = { list: () => Promise.resolve(new Map([['link', '']])), read: () => Promise.reject(new Error('read')) };
  await assert.rejects(mirror(link, volume({})), /link is none/);
});

void test('production is mounted read-only, and only the sandbox can be written', () => {
  const { spec } = carrierPod(production, 'documents-reader', 'pi1');
  assert.equal(spec?.nodeName, 'pi1');
  assert.equal(spec.volumes?.[0]?.persistentVolumeClaim?.readOnly, true);
  assert.equal(spec.containers[0]?.volumeMounts?.[0]?.readOnly, true);
  assert.equal(spec.volumes[0].persistentVolumeClaim.claimName, 'erp-documents');
  assert.throws(() => carrierPod(production, 'documents-writer', undefined), RefusedByBoundary);
  assert.throws(() => new SandboxFolder(production, 'http://10.42.0.7:8080'), RefusedByBoundary);
  assert.equal(
    carrierPod(sandbox, 'documents-writer', undefined).spec?.volumes?.[0]?.persistentVolumeClaim?.readOnly,
    false,
  );
});
