import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { featuresOf, parseShard, wholeOf, type Selected } from '../../support/suite/shard';

function feature(uri: string, scenarios: number, ...tags: string[]): Selected[] {
  return Array.from({ length: scenarios }, (_, index) => ({
    uri,
    name: `${uri} ${index}`,
    tags: tags.map((name) => ({ name })),
  }));
}

const selected = [
  ...feature('canary', 14),
  ...feature('gates', 5),
  ...feature('isolation', 30),
  ...feature('machines', 3),
  ...feature('drills/node-kill', 1, '@drill'),
  ...feature('drills/power-cut', 1, '@drill'),
  ...feature('reset', 2, '@alone'),
];

describe('shards', () => {
  for (const count of [1, 2, 3, 5]) {
    it(`${count}: together they are the whole, and no feature is in two`, () => {
      const dealt = Array.from({ length: count }, (_, index) => featuresOf({ index: index + 1, of: count }, selected));
      deepEqual(dealt.flat().sort(), [...new Set(selected.map(({ uri }) => uri))].sort());
      for (const features of dealt) equal(features.length > 0, true);
    });

    it(`${count}: what needs the sandbox alone stays together`, () => {
      const dealt = Array.from({ length: count }, (_, index) => featuresOf({ index: index + 1, of: count }, selected));
      const having = dealt.filter((features) => features.some((uri) => /drills|reset/.test(uri)));
      equal(having.length, 1);
    });
  }

  it('are the same whatever order the scenarios come in', () => {
    const shard = { index: 2, of: 3 };
    deepEqual(featuresOf(shard, [...selected].reverse()), featuresOf(shard, selected));
    deepEqual(wholeOf([...selected].reverse()), wholeOf(selected));
  });

  it('cannot be more than there is to deal out', () => {
    throws(() => featuresOf({ index: 1, of: 6 }, selected), /at most 5 shards/);
  });

  for (const text of ['0/2', '3/2', '1', 'a/b', '1/0', '-1/2', '1/2/3', '']) {
    it(`are refused as "${text}"`, () => throws(() => parseShard(text), /such as 1\/3/));
  }
});
