import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { append } from '../../support/evidence/ledger/append';
import { appendEntry } from '../../support/evidence/ledger/record';
import { chainHash, formatLine, readLine, sha256 } from '../../support/evidence/ledger/lines';
import { ledgerFiles, ledgerFolder, readHead, writeHead } from '../../support/evidence/ledger/place';
import { signerFor } from '../../support/evidence/ledger/signature';
import { verifyLedger } from '../../support/evidence/ledger/verify';
import { projectRoot } from '../../support/paths';
import { sampleEntry, sampleLedger } from '../ledger/sample';
import { tryCorruptions, tryKills, tryWriters } from '../ledger/trials';

const home = mkdtempSync(join(tmpdir(), 'ledger-test-'));
after(() => rmSync(home, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => join(home, String(++folders));

/** Changes the lines of a ledger's file. */
function edit(folder: string, change: (lines: string[]) => void): void {
  const file = ledgerFiles(folder).chain;
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  change(lines);
  writeFileSync(file, `${lines.join('\n')}\n`);
}

describe('where the ledger lies', () => {
  test('in reports/ledger, which no run cleans, unless said otherwise', () => {
    assert.equal(ledgerFolder({}), join(projectRoot, 'reports', 'ledger'));
    assert.equal(ledgerFolder({ EVIDENCE_LEDGER: '/srv/ledger', REPORTS_OUT: '/tmp/out' }), '/srv/ledger');
  });
  test('with reports elsewhere it is elsewhere too: a test never writes into the operator’s own', () => {
    assert.equal(ledgerFolder({ REPORTS_OUT: '/tmp/out' }), '/tmp/out/ledger');
  });
});

describe('what verify says', () => {
  const original = newFolder();
  sampleLedger(original, 6);
  const copy = (): string => {
    const folder = newFolder();
    cpSync(original, folder, { recursive: true });
    return folder;
  };

  test('of a whole ledger: nothing', () => {
    const { entries, attachments, problem, notes } = verifyLedger(copy());
    assert.deepEqual(
      { entries, attachments, problem, notes },
      { entries: 6, attachments: 4, problem: undefined, notes: [] },
    );
  });

  const damages: [string, (lines: string[]) => void, string, number][] = [
    ['a verdict changed', (lines) => (lines[2] = (lines[2] ?? '').replace('"green"', '"red"')), 'changed', 3],
    ['a line removed', (lines) => lines.splice(2, 1), 'removed', 3],
    ['two lines swapped', (lines) => lines.splice(2, 2, lines[3] ?? '', lines[2] ?? ''), 'reordered', 3],
    ['a line repeated', (lines) => lines.splice(4, 0, lines[1] ?? ''), 'inserted', 5],
    ['the last line removed', (lines) => lines.pop(), 'truncated', 6],
    ['a line that is no entry', (lines) => (lines[0] = 'x'), 'changed', 1],
  ];
  for (const [what, change, damage, entry] of damages) {
    test(`of ${what}: ${damage}, entry ${entry}`, () => {
      const folder = copy();
      edit(folder, change);
      assert.deepEqual({ ...verifyLedger(folder).problem, detail: '' }, { entry, damage, detail: '' });
    });
  }

  test('of an entry rewritten with its hashes made right again: the next one does not follow it', () => {
    const folder = copy();
    edit(folder, (lines) => {
      const line = readLine(Buffer.from(lines[2] ?? ''));
      assert.ok(line?.entry);
      const forged = Buffer.from(line.entry.toString().replace('"green"', '"red"'));
      const body = sha256(forged);
      lines[2] = formatLine({ hash: chainHash(line.prev, body), prev: line.prev, body, entry: forged });
    });
    assert.equal(verifyLedger(folder).problem?.entry, 4);
  });

  test('of a chain rewritten from some entry on to its end, head and all: it is not the one that was written down', () => {
    const folder = copy();
    const pinned = verifyLedger(folder).hash;
    assert.equal(verifyLedger(folder, { pinned }).problem, undefined);
    edit(folder, (lines) => lines.pop());
    const [last] = readFileSync(ledgerFiles(folder).chain, 'utf8').trimEnd().split('\n').slice(-1);
    const size = readFileSync(ledgerFiles(folder).chain).length;
    writeHead(folder, { version: 1, count: 5, hash: (last ?? '').slice(9, 73), bytes: size });
    assert.equal(verifyLedger(folder).problem, undefined);
    assert.match(verifyLedger(folder, { pinned }).problem?.detail ?? '', /no entry has the hash/);
  });

  test('of an entry of a later schema version: it cannot tell, and follows the chain to its end', () => {
    const folder = newFolder();
    sampleLedger(folder, 2);
    const { hash: prev, count, bytes } = readHead(folder) ?? assert.fail();
    const entry = Buffer.from(
      JSON.stringify({ schema: 'sandbox-acceptance/evidence', version: 2, seq: 3, news: true }),
    );
    const body = sha256(entry);
    const line = `${formatLine({ hash: chainHash(prev, body), prev, body, entry })}\n`;
    appendFileSync(ledgerFiles(folder).chain, line);
    writeHead(folder, { version: 1, count: count + 1, hash: chainHash(prev, body), bytes: bytes + line.length });
    append(folder, sampleEntry(9));
    const { problem, entries } = verifyLedger(folder);
    assert.deepEqual([problem?.damage, problem?.entry, entries], ['unknown version', 3, 4]);
  });

  test('of a ledger to which others append while it is read: nothing', () => {
    const folder = newFolder();
    sampleLedger(folder, 3);
    const words = [{ bytes: Buffer.from('"summary":"run 1"') }];
    let more = 0;
    const each = (): void => {
      for (; more < 3; more++) append(folder, sampleEntry(3 + more));
    };
    const { problem, entries, notes } = verifyLedger(folder, { words, each });
    assert.deepEqual([problem, entries, notes, more], [undefined, 6, [], 3]);
  });

  test('of entries that no head counts: the head was changed, however well they follow', () => {
    const folder = newFolder();
    sampleLedger(folder, 3);
    const head = readFileSync(ledgerFiles(folder).head);
    for (let number = 3; number < 6; number++) append(folder, sampleEntry(number));
    writeFileSync(ledgerFiles(folder).head, head);
    assert.deepEqual({ ...verifyLedger(folder).problem, detail: '' }, { entry: 0, damage: 'head changed', detail: '' });
  });

  test('of a clock that went backwards: a note, no damage', () => {
    const folder = newFolder();
    append(folder, sampleEntry(5));
    append(folder, sampleEntry(1));
    const { problem, notes } = verifyLedger(folder);
    assert.equal(problem, undefined);
    assert.match(notes.join(), /clock went backwards: entry 2/);
  });
});

describe('an append that was cut off', () => {
  test('at any byte is taken out by the next one, kept aside and said', () => {
    const whole = newFolder();
    sampleLedger(whole, 3);
    const size = readFileSync(ledgerFiles(whole).chain).length;
    const begin = readFileSync(ledgerFiles(whole).chain, 'utf8').trimEnd().lastIndexOf('\n') + 1;
    const head = { version: 1 as const, count: 2, hash: secondHash(whole), bytes: begin };
    for (const cut of [begin + 1, begin + 100, Math.floor((begin + size) / 2), size - 1]) {
      const folder = newFolder();
      cpSync(whole, folder, { recursive: true });
      truncateSync(ledgerFiles(folder).chain, cut);
      writeHead(folder, head);
      assert.equal(verifyLedger(folder).problem, undefined);
      const { seq, notes, entry } = append(folder, sampleEntry(7));
      assert.equal(seq, 3);
      assert.match(notes.join(), /bytes of an entry that was cut off/);
      assert.equal(entry.repaired?.bytes, cut - begin);
      assert.equal(verifyLedger(folder).problem, undefined);
    }
  });

  test('after its entry was written, before it was counted: the next one counts it', () => {
    const folder = newFolder();
    sampleLedger(folder, 3);
    const begin = readFileSync(ledgerFiles(folder).chain, 'utf8').trimEnd().lastIndexOf('\n') + 1;
    writeHead(folder, { version: 1, count: 2, hash: secondHash(folder), bytes: begin });
    assert.match(verifyLedger(folder).notes.join(), /Entry 3 was written/);
    assert.equal(append(folder, sampleEntry(7)).seq, 4);
    assert.deepEqual(verifyLedger(folder).notes, []);
  });

  test('nothing is appended to a chain that lost its end', () => {
    const folder = newFolder();
    sampleLedger(folder, 3);
    truncateSync(ledgerFiles(folder).chain, 200);
    assert.throws(() => append(folder, sampleEntry(7)), /the end is missing/);
  });
});

function secondHash(folder: string): string {
  return (readFileSync(ledgerFiles(folder).chain, 'utf8').split('\n')[1] ?? '').slice(9, 73);
}

describe('signed entries', () => {
  const keyOf = (name: string, type: string): string => {
    const file = join(home, name);
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', name, '-f', file]);
    return file;
  };
  const allow = (folder: string, key: string): void =>
    writeFileSync(ledgerFiles(folder).signers, `operator ${readFileSync(`${key}.pub`, 'utf8')}`);
  const own = keyOf('own', 'ed25519');

  for (const type of ['ed25519', 'rsa']) {
    test(`hold with a key of type ${type}`, () => {
      const key = type === 'ed25519' ? own : keyOf('other-type', type);
      const folder = newFolder();
      sampleLedger(folder, 3, signerFor(key));
      allow(folder, key);
      const { signed, problem, notes } = verifyLedger(folder);
      assert.deepEqual({ signed, problem, notes }, { signed: 3, problem: undefined, notes: [] });
    });
  }

  test('without allowed signers hold, and it is said that nobody vouches for the key', () => {
    const folder = newFolder();
    sampleLedger(folder, 2, signerFor(own));
    assert.match(verifyLedger(folder).notes.join(), /nobody says whose it is/);
  });

  test('of another key, taken away, or of another entry are bad', () => {
    const folder = newFolder();
    sampleLedger(folder, 3, signerFor(keyOf('stranger', 'ed25519')));
    allow(folder, own);
    assert.match(verifyLedger(folder).problem?.detail ?? '', /none of the allowed signers/);
    const signer = signerFor(own);
    const spoil = (change: (line: string, lines: string[]) => string): string => {
      const spoiled = newFolder();
      sampleLedger(spoiled, 3, signer);
      allow(spoiled, own);
      edit(spoiled, (lines) => (lines[1] = change(lines[1] ?? '', lines)));
      // The head counts bytes; what is looked at here comes before it.
      const { problem } = verifyLedger(spoiled);
      assert.deepEqual([problem?.damage, problem?.entry], ['signature bad', 2]);
      return problem?.detail ?? '';
    };
    assert.match(
      spoil((line) => line.replace(/,"sig":"[^"]*"/, '')),
      /its signature is gone/,
    );
    assert.match(
      spoil((line, lines) => line.replace(/"sig":"[^"]*"/, /"sig":"[^"]*"/.exec(lines[0] ?? '')?.[0] ?? '')),
      /not for this entry/,
    );
  });
});

test('the folders of a new ledger are made with those above them, for their owner alone', () => {
  const folder = join(newFolder(), 'a', 'b');
  append(folder, sampleEntry(1));
  assert.equal(verifyLedger(folder).entries, 1);
  for (const one of [folder, join(folder, '..')]) assert.equal(statSync(one).mode & 0o777, 0o700);
});

test('a run is kept with who, where, what it was made from and how to repeat it', async () => {
  const folder = newFolder();
  const { entry, id } = await appendEntry(
    {
      kind: 'reset',
      verdict: 'green',
      summary: 'erp-sandbox is back at its golden state',
      began: new Date(),
      command: 'npm run reset -- erp-sandbox',
      keep: [{ name: 'note.txt', text: 'password=hunter2hunter2' }],
    },
    folder,
  );
  assert.match(id, /^1-[0-9a-f]{12}$/);
  assert.deepEqual(
    entry.sources.map(({ role }) => role),
    ['suite', 'factory'],
  );
  assert.match(entry.sources[0]?.commit ?? '', /^[0-9a-f]{40}$/);
  const kept = entry.attachments[0]?.sha256 ?? '';
  assert.doesNotMatch(readFileSync(join(folder, 'objects', kept.slice(0, 2), kept), 'utf8'), /hunter2/);
  assert.equal(verifyLedger(folder).problem, undefined);
});

describe('trials (npm run tampering makes them in full)', () => {
  test('random damage is found, untouched copies are clean', async () => {
    assert.deepEqual((await tryCorruptions(60, 11)).failures, []);
  });
  test('kill -9 during append leaves the chain intact', async () => {
    assert.deepEqual((await tryKills(3, 11)).failures, []);
  });
  test('writers at once leave all their entries', async () => {
    const { entries, expected, problem } = await tryWriters(3, 8);
    assert.deepEqual([entries, problem], [expected, undefined]);
  });
});
