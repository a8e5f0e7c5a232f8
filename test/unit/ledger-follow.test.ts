import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { append } from '../../support/evidence/ledger/append';
import { followLedger } from '../../support/evidence/ledger/follow';
import { ledgerFiles } from '../../support/evidence/ledger/place';
import { signerFor } from '../../support/evidence/ledger/signature';
import type { Verification } from '../../support/evidence/ledger/verification';
import { verifyLedger } from '../../support/evidence/ledger/verify';
import { corruptions } from '../ledger/corruptions';
import { generator } from '../ledger/random';
import { sampleEntry, sampleLedger } from '../ledger/sample';

const home = mkdtempSync(join(tmpdir(), 'ledger-follow-'));
after(() => rmSync(home, { recursive: true, force: true }));
let folders = 0;

const entries = 40;
const original = join(home, 'original');
sampleLedger(original, entries);

/** A copy that somebody may have damaged. */
function copy(damage: (folder: string) => unknown = () => undefined): string {
  const folder = join(home, String(++folders));
  cpSync(original, folder, { recursive: true });
  damage(folder);
  return folder;
}

/** What both ways say: line by line, and in parts of so many bytes by so many threads. */
async function both(folder: string, partBytes: number, threads: number): Promise<[Verification, Verification]> {
  const words = [{ bytes: Buffer.from('"summary":"run 7"') }, { bytes: Buffer.from('"summary":"run 39"') }];
  const named: [number, number, string][][] = [[], []];
  const into =
    (list: number) =>
    (line: { hash: string }, seq: number, bits: number): void =>
      void named[list]?.push([seq, bits, line.hash]);
  const one = verifyLedger(folder, { chainOnly: true, words, each: into(0) });
  const other = await followLedger(folder, { words, each: into(1), partBytes, threads });
  assert.deepEqual(named[1], named[0]);
  return [one, other];
}

describe('a chain that is followed in parts', () => {
  const size = readFileSync(ledgerFiles(original).chain).length;
  for (const partBytes of [150, 222, 700, 5000, size - 1, size, size + 1]) {
    test(`of ${partBytes} bytes holds as it does line by line`, async () => {
      const [one, other] = await both(original, partBytes, 0);
      assert.deepEqual(other, one);
      assert.deepEqual([other.entries, other.problem], [entries, undefined]);
    });
  }

  test('holds in several threads', async () => {
    for (let done = 0; done < 3; done++) {
      const [one, other] = await both(original, 300, 2);
      assert.deepEqual(other, one);
    }
  });

  test('holds where entries are signed', async () => {
    const key = join(home, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const folder = copy((its) => append(its, sampleEntry(41), signerFor(key).sign));
    const [one, other] = await both(folder, 1000, 0);
    assert.deepEqual([other, other.entries, other.problem], [one, entries + 1, undefined]);
  });

  test('is no other while somebody appends, or after an append that was cut off', async () => {
    for (const tail of ['{"hash":"', 'x'.repeat(3000)]) {
      const folder = copy((its) => appendFileSync(ledgerFiles(its).chain, tail));
      const [one, other] = await both(folder, 1000, 0);
      assert.deepEqual([other, other.problem], [one, undefined]);
    }
  });

  for (const [name, damage] of Object.entries(corruptions).filter(([kind]) => !kind.startsWith('attachment'))) {
    test(`does not hold with ${name}, and it is said as line by line`, async () => {
      const random = generator(5);
      for (let done = 0; done < 6; done++) {
        let said: string | undefined;
        const folder = copy((its) => (said = damage(its, random)));
        if (said === undefined) continue;
        const [one, other] = await both(folder, 200 + Math.floor(random() * 3000), 0);
        assert.deepEqual(other, one, said);
        assert.ok(other.problem, said);
      }
    });
  }

  test('does not hold with two parts exchanged, each of which holds in itself', async () => {
    const folder = copy((its) => {
      const file = ledgerFiles(its).chain;
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
      writeFileSync(file, `${[...lines.slice(20), ...lines.slice(0, 20)].join('\n')}\n`);
    });
    const [one, other] = await both(folder, 1000, 1);
    assert.ok(one.problem);
    assert.deepEqual(other, one);
  });

  test('does not hold when it ends early and its head says so as well, but for another entry', async () => {
    const folder = copy((its) => {
      const { chain, head } = ledgerFiles(its);
      const text = readFileSync(chain, 'utf8').trimEnd();
      const bytes = text.lastIndexOf('\n') + 1;
      truncateSync(chain, bytes);
      const known = JSON.parse(readFileSync(head, 'utf8')) as object;
      writeFileSync(head, JSON.stringify({ ...known, bytes }));
    });
    const [one, other] = await both(folder, 1000, 0);
    assert.ok(one.problem);
    assert.deepEqual(other, one);
  });
});
