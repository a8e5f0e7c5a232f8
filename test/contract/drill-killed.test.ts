import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readJournals } from '../../drills/journal';
import { end, isKilled } from '../../drills/resume';
import { projectRoot } from '../../support/paths';
import { Leftovers } from '../../support/undo';
import '../../drills/undo';

// The undo of another process is replayed here: this process knows the drill as well.
import { lampFile } from './fixtures/lamp-drill';

const home = mkdtempSync(join(tmpdir(), 'lamp-'));
process.env['LAMP'] = lampFile(home);

interface Ended {
  code: number | null;
  signal: string | null;
  output: string;
}

/** A run of the lamp's drill in a process and folders of its own. */
async function drill(
  name: string,
  env: Record<string, string>,
  onLine: (line: string, kill: () => void) => void,
): Promise<Ended> {
  const folder = join(home, name.replaceAll(' ', '-'));
  writeFileSync(lampFile(home), '');
  const child = spawn('node', ['-r', 'ts-node/register', 'test/contract/fixtures/lamp-drill.ts'], {
    cwd: projectRoot,
    env: { ...process.env, LAB_HOME: folder, REPORTS_OUT: folder, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      onLine(chunk.toString(), () => void child.kill('SIGINT'));
    });
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, output })));
}

describe('a runner that is killed', () => {
  for (const phase of [
    'gate',
    'undo-registered',
    'inject',
    'detect',
    'follow',
    'run         on',
    'recover',
    'undo',
    'check',
  ]) {
    test(`in ${phase}, leaves what another process undoes, and a journal that says so`, async () => {
      const { signal, output } = await drill(phase, { DIE_IN: phase }, () => undefined);
      assert.equal(signal, 'SIGKILL', output);
      const folder = join(home, phase.replaceAll(' ', '-'));
      const undo = join(folder, 'undo');
      await new Leftovers(undo).replay('paper-1', () => Promise.resolve(true));
      assert.ok(existsSync(lampFile(home)), 'the lamp is on again');
      assert.deepEqual(existsSync(undo) ? readdirSync(undo) : [], []);
      const [journal] = readJournals(join(folder, 'drills'));
      assert.ok(journal !== undefined && isKilled(journal));
      end(journal, join(folder, 'drills'));
      assert.equal(readJournals(join(folder, 'drills'))[0]?.verdict, 'inconclusive');
    });
  }
});

test('Ctrl-C ends the step under way, undoes, and ends the journal', async () => {
  const { output } = await drill('interrupted', { LAMP_HANGS: '1' }, (line, kill) => {
    if (/run +on/.test(line)) kill();
  });
  assert.ok(existsSync(lampFile(home)), output);
  const [journal] = readJournals(join(home, 'interrupted', 'drills'));
  assert.deepEqual([journal?.verdict, journal?.phases.at(-1)?.phase], ['inconclusive', 'check'], output);
});
