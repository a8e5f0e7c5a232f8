import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { World, type IFormatterOptions } from '@cucumber/cucumber';
import type { Envelope } from '@cucumber/messages';
import { generateAllure } from '../reports/allure';
import type { Environment } from '../reports/environment';
import { Reports } from '../reports/reports';
import { readMessages } from '../reports/scenarios';
import { reconcile } from '../reports/strict';
import { sweep } from '../reports/sweep';
import { messagesWriter, reportFiles } from '../reports/writers';
import { OperatorError } from '../support/failure';
import { reportsOut } from '../support/paths';
import type { Benchmark } from './benchmark';

/** What evidence costs beside the scenarios themselves. */
export const reports: Benchmark = {
  name: 'reports',
  what: "the reporting of the last run, made again from its messages: redaction, messages.ndjson, junit.xml, cucumber.html, Allure's results and page, the reconciler, and the sweep for secrets",
  unit: 's',
  run: ({ say, part }) => {
    const messages = lastRun();
    const scenarios = messages.filter(({ testCaseFinished }) => testCaseFinished !== undefined).length;
    say(`${scenarios} scenarios in ${messages.length} messages`);
    return inFolder(async (out) => {
      const clock = laps();
      const made = new Reports(out, formatterOptions);
      for (const envelope of messages) made.receive(envelope);
      part('redaction while the run goes on', clock());
      await made.finish();
      part('messages, JUnit, HTML and Allure results', clock());
      await generateAllure(out, environment);
      part('Allure page', clock());
      const success = messages.find(({ testRunFinished }) => testRunFinished)?.testRunFinished?.success ?? false;
      const { disagreements } = reconcile(out, success);
      part('reconciler', clock());
      const all = [...disagreements, ...sweep(out)];
      part('sweep', clock());
      if (all.length > 0) throw wrong('make the reports again', all.join('; '), 'run `npm run suite` and read why.');
      return clock.total();
    });
  },
  peer: {
    what: 'writing the same messages to one file, as they are: no redaction, no other report',
    run: () => {
      const messages = lastRun();
      return inFolder(async (out) => {
        const clock = laps();
        const writer = messagesWriter(reportFiles(out).messages);
        for (const envelope of messages) writer.message(envelope);
        await writer.close();
        return clock.total();
      });
    },
  },
};

/** Allure's page says where it comes from; that costs nothing worth measuring. */
const environment: Environment = {
  target: 'embedded',
  at: new Date(0).toISOString(),
  suite: 'a benchmark',
  factory: 'a benchmark',
  node: process.version,
  host: 'this machine',
  parts: [],
};

/** What the Allure reporter reads of Cucumber's options; a run that is over has no support code to offer. */
const formatterOptions = {
  supportCodeLibrary: { beforeTestCaseHookDefinitions: [], afterTestCaseHookDefinitions: [], World },
} as unknown as IFormatterOptions;

/** @throws OperatorError when there is no run that came to its end. */
function lastRun(): Envelope[] {
  const messages = readMessages(reportFiles(reportsOut).messages);
  if (messages.some(({ testRunFinished }) => testRunFinished !== undefined)) return messages;
  throw wrong('find the last run', 'a run that has not ended', 'wait for it, or run `npm run suite`.');
}

async function inFolder(work: (out: string) => Promise<number>): Promise<number> {
  const out = mkdtempSync(join(tmpdir(), 'bench-reports-'));
  try {
    return await work(out);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** @returns a clock that says the seconds since it was last asked, and since the beginning. */
function laps(): (() => number) & { total(): number } {
  const began = performance.now();
  let last = began;
  const lap = (): number => {
    const seconds = (performance.now() - last) / 1000;
    last = performance.now();
    return seconds;
  };
  return Object.assign(lap, { total: () => (performance.now() - began) / 1000 });
}

function wrong(attempted: string, seen: string, next: string): OperatorError {
  return new OperatorError({ attempted, where: reportsOut, seen, next });
}
