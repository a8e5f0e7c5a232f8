import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../support/command';
import { cacheHome } from '../../support/paths';
import { hostArchitecture } from './store';

/** The Go that is fetched where the machine has none; checksums of the module proxy's archives. */
const pinned = {
  version: '1.26.8',
  sha256: {
    amd64: '30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7',
    arm64: '02b36b6787b3ac767668f630e2998df45a3b1f9ffee08d1bf3ef6487cd658d99',
  },
} as const;

/** Where the fetched Go lies. */
const ownGo = join(cacheHome, 'go', pinned.version);

/** 70 MB from the module proxy and its unpacking, on a slow line. */
const timeoutMs = 15 * 60_000;

/** Folders to look for `go` in after those of the PATH. */
export const goFolders = [join(ownGo, 'bin'), '/usr/local/go/bin'];

/** What `fetchGo` would bring, in words. */
export const fetchableGo = `Go ${pinned.version} of the module proxy, 70 MB`;

/**
 * Fetches the pinned Go from the module proxy into the project's cache, once; this machine's own Go is not touched.
 * @throws OperatorError when it cannot be fetched or its checksum differs.
 */
export async function fetchGo(): Promise<void> {
  if (existsSync(ownGo)) return;
  const architecture = hostArchitecture();
  const script = join(__dirname, 'fetch-go.py');
  await run('python3', [script, pinned.version, architecture, pinned.sha256[architecture], ownGo], { timeoutMs });
}
