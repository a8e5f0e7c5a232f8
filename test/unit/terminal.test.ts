import { equal, match, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { run } from '../../support/command';
import { repeatedly } from '../../support/eventually';
import { localTime, showsColours, toned } from '../../support/terminal';

describe('colours', () => {
  const terminal = { isTTY: true };

  it('are shown on a terminal only', () => {
    ok(showsColours(terminal, {}));
    ok(!showsColours({}, {}));
    equal(toned('bad', 'RED', {}), 'RED');
  });

  it('are not shown where NO_COLOR says so, or the terminal has none', () => {
    ok(!showsColours(terminal, { NO_COLOR: '1' }));
    ok(showsColours(terminal, { NO_COLOR: '' }));
    ok(!showsColours(terminal, { TERM: 'dumb' }));
  });
});

describe('a time', () => {
  it('is shown in local time with its zone', async () => {
    const script = "console.log(require('./support/terminal').localTime('2026-07-01T10:00:00Z'))";
    const { stdout } = await run('node', ['-r', 'ts-node/register', '-e', script], { env: { TZ: 'Asia/Tokyo' } });
    equal(stdout, '2026-07-01 19:00:00 GMT+9');
    match(localTime(new Date()), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+$/);
  });

  it('that is none stays as it is', () => equal(localTime('not yet'), 'not yet'));
});

it('a live view ends with its signal, not before', async () => {
  const ended = new AbortController();
  let looks = 0;
  await repeatedly(
    () => {
      looks += 1;
      if (looks === 3) ended.abort();
      return Promise.resolve();
    },
    1,
    ended.signal,
  );
  equal(looks, 3);
});
