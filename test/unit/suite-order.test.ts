import { deepEqual } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inOrder } from '../../support/suite/order';

const stages = ['machines', 'kubernetes', 'apps'];
const scenario = (title: string, ...tags: string[]) => ({ title, tags: tags.map((name) => ({ name, astNodeId: '' })) });
const titles = (...all: ReturnType<typeof scenario>[]) => inOrder(all, (one) => one, stages).map(({ title }) => title);

describe('the order of scenarios', () => {
  it('follows the stages, whatever feature a scenario stands in', () => {
    deepEqual(
      titles(
        scenario('apps', '@needs:apps'),
        scenario('nothing'),
        scenario('both', '@needs:machines', '@needs:kubernetes'),
        scenario('machines', '@needs:machines'),
      ),
      ['nothing', 'machines', 'both', 'apps'],
    );
  });

  it('keeps scenarios of the same stage as they stand', () => {
    deepEqual(titles(scenario('b', '@needs:apps'), scenario('a', '@needs:apps')), ['b', 'a']);
  });

  it('leaves a stage that nobody knows for late, and what judges the run for last', () => {
    deepEqual(
      titles(scenario('run', '@last'), scenario('unknown', '@needs:no-such-stage'), scenario('apps', '@needs:apps')),
      ['apps', 'unknown', 'run'],
    );
  });
});
