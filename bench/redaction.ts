import { createHash } from 'node:crypto';
import { Redactor } from '../support/evidence/redaction';
import { literal } from '../support/literal';
import type { Benchmark } from './benchmark';

/** As many as a lab has after a run of the suite, and a page as large as an Allure report of one file. */
const secrets = Array.from({ length: 300 }, (_, number) => noise(`secret ${number}`).slice(0, 24 + (number % 20)));
const megabytes = 4;

/** What looking for known secrets costs a run: every text is looked through before it is written, every report once more. */
export const redaction: Benchmark = {
  name: 'redaction',
  what: `looking through a text of ${megabytes} MB, base64 in lines as reports hold it, for ${secrets.length} known secrets and finding none`,
  unit: 'ms',
  run: () => {
    const redactor = new Redactor();
    redactor.register(...secrets);
    const text = page();
    return Promise.resolve(timed(() => redactor.remaining(text)));
  },
  peer: {
    what: 'one regular expression of as many plain words, longest first: without their spellings in JSON, URLs and base64',
    run: () => {
      const expression = anyOf(secrets);
      const text = page();
      return Promise.resolve(timed(() => text.match(expression)?.length ?? 0));
    },
  },
};

/** One regular expression that finds each of the words, and of two that begin at one place the longer. */
export function anyOf(words: readonly string[]): RegExp {
  return new RegExp(
    [...words]
      .sort((a, b) => b.length - a.length)
      .map(literal)
      .join('|'),
    'g',
  );
}

function timed(look: () => number): number {
  const began = performance.now();
  const found = look();
  const took = performance.now() - began;
  if (found !== 0) throw new Error(`the page holds ${found} of the secrets: nothing was measured`);
  return took;
}

function noise(seed: string): string {
  return createHash('sha512').update(seed).digest('base64');
}

/** The same in every run. */
function page(): string {
  const lines = (megabytes * 1_000_000) / 89;
  return Array.from({ length: lines }, (_, number) => noise(`line ${number}`)).join('\n');
}
