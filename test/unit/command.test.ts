import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { childEnvironment, run } from '../../support/command';

const noPython = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not installed';

test(
  'what Python compiles is kept for the next start, and lies nowhere beside its sources',
  { skip: noPython },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'command-'));
    const kept = join(childEnvironment()['PYTHONPYCACHEPREFIX'] ?? '', folder);
    try {
      writeFileSync(join(folder, 'plugin.py'), 'pass\n');
      await run('python3', ['-c', 'import plugin'], { cwd: folder });
      assert.deepEqual(readdirSync(folder), ['plugin.py']);
      assert.match(readdirSync(kept).join(), /^plugin\..*\.pyc$/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
      rmSync(kept, { recursive: true, force: true });
    }
  },
);
