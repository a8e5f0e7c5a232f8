import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  chainHash,
  formatLine,
  genesis,
  nextLine,
  rawLines,
  readLine,
  sha256,
} from '../../support/evidence/ledger/lines';
import { generator } from '../ledger/random';

const home = mkdtempSync(join(tmpdir(), 'ledger-lines-'));
after(() => rmSync(home, { recursive: true, force: true }));

describe('reading line by line', () => {
  const words = ['5f1d7a84549102f0a1b2c3d4e5f60718293a4b5c', '"drills":['];

  // Lines of up to 300 kB over pieces of 1 MiB: words lie in the middle of pieces, across their ends and in long lines.
  const random = generator(1);
  const lines = Array.from({ length: 120 }, (_, number) => {
    const filler = 'x'.repeat(Math.floor(random() * (number === 60 ? 5_000_000 : 300_000)));
    const its = words.filter(() => random() < 0.4);
    return `${filler}${its.join(filler.slice(0, 50))}${filler.slice(0, Math.floor(random() * 1000))}`;
  });
  const file = join(home, 'lines');
  writeFileSync(file, `${lines.join('\n')}\nan unended one`);

  test('every line comes with its bytes, its place and the words in it', () => {
    let offset = 0;
    let index = 0;
    for (const { bytes, ended, named, offset: at } of rawLines(
      file,
      words.map((word) => ({ bytes: Buffer.from(word) })),
    )) {
      const line = lines[index] ?? 'an unended one';
      assert.equal(bytes.toString(), line);
      assert.equal(at, offset);
      assert.equal(ended, index < lines.length);
      assert.equal(
        named,
        words.reduce((bits, word, bit) => bits | (line.includes(word) ? 1 << bit : 0), 0),
      );
      offset += line.length + 1;
      index += 1;
    }
    assert.equal(index, lines.length + 1);
  });

  test('a word that is only looked for from some place on is found from there on', () => {
    const from = 6_000_000;
    const [word = ''] = words;
    const found = [...rawLines(file, [{ bytes: Buffer.from(word), from }])].filter(({ named }) => named === 1);
    const wanted = [...rawLines(file)].filter(({ offset }, index) => offset >= from && lines[index]?.includes(word));
    for (const { offset } of wanted) assert.ok(found.some((one) => one.offset === offset));
  });
});

describe('the next line of a chain', () => {
  const entry = Buffer.from('{"schema":"x","seq":1}');
  const body = sha256(entry);
  const sound = { hash: chainHash(genesis, body), prev: genesis, body, entry };
  const of = (text: string): ReturnType<typeof nextLine> => nextLine(Buffer.from(text), genesis);

  test('is what readLine makes of it', () => {
    assert.deepEqual(of(formatLine(sound)), readLine(Buffer.from(formatLine(sound))));
  });
  test('is none with any of its bytes changed, and none after another', () => {
    const text = formatLine(sound);
    for (let at = 0; at < text.length; at++)
      assert.equal(
        of(`${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`),
        undefined,
        `byte ${at}`,
      );
    assert.equal(nextLine(Buffer.from(text), sha256('another')), undefined);
  });
  test('is left to readLine when it is signed, left out, short or no line', () => {
    for (const text of [
      formatLine({ ...sound, sig: 'c2ln' }),
      formatLine({ hash: sound.hash, prev: genesis, body }),
      '',
      '{}',
    ])
      assert.equal(of(text), undefined);
  });
});
