import { equal, match, ok } from 'node:assert/strict';
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { selectRecipes } from '../../sandbox/forge/recipes';
import { verifyComponent, type ComponentState } from '../../sandbox/forge/states';
import { parseManifest, readManifest, type ForgeStore } from '../../sandbox/forge/store';
import { installed, scratchStore } from './forge-fixture';

async function stateOf(store: ForgeStore, name: string, thorough = false): Promise<ComponentState> {
  const [recipe] = selectRecipes([name]);
  ok(recipe);
  return verifyComponent(recipe, { store, thorough });
}

describe('a component', () => {
  it('is missing before it is built', async () => {
    equal((await stateOf(scratchStore(), 'etcd')).state, 'missing');
  });

  it('is built once installed, and its binaries can be run', async () => {
    const store = scratchStore();
    const entry = await installed(store, 'etcd');
    const state = await stateOf(store, 'etcd');
    equal(state.state, 'built');
    equal(
      state.size,
      Object.values(entry.files).reduce((sum, file) => sum + file.size, 0),
    );
    equal(statSync(join(store.home, 'bin', 'etcd')).mode & 0o777, 0o755);
    equal(statSync(join(store.home, 'share', 'etcd', 'notice.txt')).mode & 0o777, 0o644);
  });

  it('is corrupt when a byte differs, also when size and modification time do not', async () => {
    const store = scratchStore();
    await installed(store, 'etcd');
    equal((await stateOf(store, 'etcd')).state, 'built');
    const binary = join(store.home, 'bin', 'etcd');
    const before = statSync(binary);
    const content = readFileSync(binary);
    content[0] = (content[0] ?? 0) ^ 1;
    writeFileSync(binary, content);
    utimesSync(binary, before.atime, before.mtime);
    const state = await stateOf(store, 'etcd');
    equal(state.state, 'corrupt');
    match(state.why ?? '', /bin\/etcd has SHA-256 [0-9a-f]{12}\.\.\., recorded is/);
  });

  it('is corrupt when a file is gone', async () => {
    const store = scratchStore();
    await installed(store, 'etcd');
    rmSync(join(store.home, 'share', 'etcd', 'notice.txt'));
    const state = await stateOf(store, 'etcd');
    equal(state.state, 'corrupt');
    match(state.why ?? '', /notice\.txt is not there/);
  });

  it('is outdated when the recipe wants another version or builds it otherwise', async () => {
    const store = scratchStore();
    await installed(store, 'etcd', { version: 'v3.4.0', recipe: 'old' });
    match((await stateOf(store, 'etcd')).why ?? '', /v3\.4\.0 is built, v3\.6\.5 is wanted/);
    await installed(store, 'etcd', { recipe: 'old' });
    const state = await stateOf(store, 'etcd');
    equal(state.state, 'outdated');
    match(state.why ?? '', /recipe changed/);
  });

  it('that a kill left between its files and its record is not taken for built', async () => {
    const store = scratchStore();
    await installed(store, 'etcd');
    const manifest = readFileSync(join(store.home, 'manifest.json'));
    writeFileSync(join(store.home, 'bin', 'etcd'), 'the new binary whose record was not written any more');
    writeFileSync(join(store.home, 'manifest.json'), manifest);
    equal((await stateOf(store, 'etcd')).state, 'corrupt');
  });
});

describe('a manifest', () => {
  it('that cannot be read means that everything is built again', async () => {
    const store = scratchStore();
    await installed(store, 'etcd');
    writeFileSync(join(store.home, 'manifest.json'), '{"format":1');
    equal((await stateOf(store, 'etcd')).state, 'missing');
  });

  it('of another architecture is not believed', async () => {
    const store = scratchStore('arm64');
    await installed(store, 'etcd');
    equal(Object.keys(readManifest({ ...store, arch: 'amd64' }).components).length, 0);
  });

  it('may not name files outside the store', () => {
    const file = { sha256: '0'.repeat(64), size: 1 };
    for (const path of ['../etc/passwd', '/bin/sh', 'bin/../../x', 'share/..', 'etc/passwd']) {
      const entry = { version: '', checksum: '', recipe: '', files: { [path]: file }, seconds: 0, go: '', builtAt: '' };
      const parsed = parseManifest(JSON.stringify({ format: 1, os: 'linux', arch: 'amd64', components: { x: entry } }));
      equal(parsed.ok, false, path);
    }
  });
});
