import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyOf } from '../../bench/redaction';
import { Words } from '../../support/evidence/words';

/** Few letters, so that words are found, overlap and begin each other; and units that a reader takes for a part of another. */
const letter = fc.constantFrom('a', 'b', 'c', '.', '\n', 'é', '\u0301', '\ud83d', '\ude00');
const word = fc.array(letter, { minLength: 3, maxLength: 12 }).map((letters) => letters.join(''));

test('the words found are those that a regular expression of all of them finds (5,000 generated)', () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 30 }), fc.array(fc.oneof(letter, word)), (words, pieces) => {
      const text = [...pieces, ...words.slice(0, 2)].join('');
      const expression = anyOf(words);
      const places = [...text.matchAll(expression)].map(({ 0: found, index }) => [index, index + found.length]);
      const found = new Words(words);
      assert.deepEqual(
        [...found.in(text)].map(({ start, end }) => [start, end]),
        places,
      );
      assert.equal(found.replace(text, '_'), text.replace(expression, '_'));
    }),
    { numRuns: 5_000, seed: 20261128 },
  );
});

test('a word is found at the beginning, at the end, and beside itself', () => {
  const places = [...new Words(['hunter22', 'swordfish']).in('hunter22hunter22 swordfish')];
  assert.deepEqual(places, [
    { start: 0, end: 8 },
    { start: 8, end: 16 },
    { start: 17, end: 26 },
  ]);
});

test('words longer than any window are found', () => {
  const long = 'k'.repeat(700);
  assert.equal(new Words([long, `${long}x`]).replace(`a${long}x b${long}`, '_'), 'a_ b_');
});

test('no words, and texts shorter than a word, hold nothing', () => {
  assert.equal(new Words([]).replace('anything', '_'), 'anything');
  assert.equal(new Words(['hunter22']).replace('hunter2', '_'), 'hunter2');
});

test('a word that is too short to be looked for is refused', () => {
  assert.throws(() => new Words(['ab', 'hunter22']), /a word of 2 units is too short/);
});
