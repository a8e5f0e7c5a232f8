import { repeatedly } from '../support/eventually';
import { labStatus } from './lab-status';
import { showLive } from './lab-status-view';
import { labInventory } from './machines/layout';

/** Between two looks, in milliseconds. */
const pauseMs = 2_000;

/** Home, and what is left of an older, longer view taken away. */
const home = '\u001b[H';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';

/** Shows the lab until Ctrl-C: on a terminal in place, elsewhere one block (or one line of JSON) after the other. */
export async function watchStatus(json: boolean): Promise<void> {
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());
  const terminal = process.stdout.isTTY && !json;
  if (terminal) process.stdout.write(`${home}${clearBelow}`);
  await repeatedly(
    async () => {
      const status = await labStatus(labInventory());
      if (json) return void process.stdout.write(`${JSON.stringify(status)}\n`);
      const lines = showLive(status, new Date()).split('\n');
      if (!terminal) return void process.stdout.write(`${lines.join('\n')}\n\n`);
      // The last row stays free: a terminal that is full scrolls, and the view would wander.
      const rows = lines.slice(0, Math.max(1, (process.stdout.rows ?? 24) - 1));
      process.stdout.write(`${home}${rows.map((line) => `${line}${clearLine}\n`).join('')}${clearBelow}`);
    },
    pauseMs,
    ended.signal,
  );
}
